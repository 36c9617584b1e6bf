"""A flow as it is written: the keys that an author may use, with their meaning.

This is also the source of the JSON schema for editors.
"""

# ruff: noqa: RUF012 - pydantic copies the defaults of its fields
from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from agi_bot.flow.limits import TurnLimits
from agi_bot.flow.parts import Computed as ComputedValue
from agi_bot.flow.parts import (
    Hook,
    IntentName,
    Key,
    Ladder,
    LanguageTag,
    Milliseconds,
    Name,
    Names,
    Part,
    Say,
    SlotSpec,
    TaskField,
    Ways,
    Words,
)

LANGUAGES = ("zh-CN", "en")


def _field(value: Any) -> Any:
    return {"type": value} if isinstance(value, str) else value


FieldSpec = Annotated[TaskField, BeforeValidator(_field, json_schema_input_type=str | TaskField)]


class Listening(Part):
    """How the bot listens; for the whole flow and, where a step differs, for the step."""

    silence_after: Milliseconds | None = None
    """Quiet time until the silence ladder is used (5s)."""
    patience: Milliseconds | None = None
    """Pause inside an answer that is waited for; for people who dictate numbers or are old."""
    turns: TurnLimits = TurnLimits()
    """Single limits of turn-taking, ms, over those of agi-bot.yml."""
    backchannel: Words | None = None
    """Words that do not interrupt the bot."""
    resume: Literal["continue", "restart"] | None = None
    """What to do after an interruption that was nothing."""


class Step(Listening):
    """One station of the conversation."""

    say: Say | None = None
    """What the bot says on entering."""
    ask: Say | None = None
    """The question; asked again when the caller returns to the step."""
    again: Say | None = None
    """Shorter form of the question for the second time."""
    protect: Words = ()
    """Parts of the text that the caller cannot interrupt; `all` for everything."""
    barge_in: bool = True
    """Whether the caller may interrupt."""
    voice: str | None = None
    hints: Words = ()
    """Phrases that are likely to be said here: bias for the recogniser."""
    collect: dict[Name, SlotSpec] = {}
    """Slots to fill from the caller's words."""
    confirm: Say | None = None
    """Question that makes sure; yes goes on, no asks again."""
    on: dict[IntentName, Ways] = {}
    """Where an intent leads; `otherwise` takes everything else."""
    keys: dict[Key, Ways] = {}
    """Where a pressed key leads."""
    next: Ways | None = None
    """Where to go when the step is done."""
    call: Hook | None = None
    """Hook that is called before anything is said."""
    set: dict[Name, ComputedValue] = {}
    """Slots to fill: a constant, a text with {slots}, or `= expression`."""
    mark: Names = ()
    """Tags for the call's record."""
    result: str | None = None
    """Result class of the call."""
    wait: Milliseconds | None = None
    """Time to give the caller; silence then leads to `next`."""
    flow: Name | None = None
    """Sub-flow to run."""
    with_: Annotated[dict[Name, ComputedValue], Field(alias="with")] = {}
    """Arguments of the sub-flow (its task)."""
    save: dict[Name, Name] = {}
    """Own slot -> slot of the sub-flow to take over at its end."""
    outcomes: dict[Name, Ways] = {}
    """Where the sub-flow's outcome leads; `next` for all others."""
    silence: Ladder | None = None
    """What happens when nothing is said, one rung after the other."""
    unclear: Ladder | None = None
    """What happens when nothing is understood, one rung after the other."""
    transfer: str | None = None
    """Extension or queue to send the caller to."""
    end: Name | None = None
    """Outcome; the bot's part ends."""
    hang_up: bool = False
    """End the call itself as well."""
    visits: Annotated[int, Field(ge=1, le=100)] | None = None
    """How often the step may be entered in one call."""

    @property
    def listens(self) -> bool:
        """Whether the step waits for the caller."""
        return bool(self.ask or self.on or self.keys or self.collect) or self.wait is not None

    @property
    def leaves(self) -> bool:
        """Whether the bot's part ends here."""
        return self.end is not None or self.transfer is not None


class Limits(Part):
    """Guards against calls that never end."""

    call: Milliseconds = 600_000
    """Longest call."""
    turns: Annotated[int, Field(ge=1, le=500)] = 60
    """Most answers of the caller in one call."""
    visits: Annotated[int, Field(ge=1, le=100)] = 8
    """How often one step may be entered in one call."""


class Script(Listening):
    """A whole flow."""

    flow: Name
    """Name of the flow (the script_id of the API)."""
    title: str = ""
    language: Literal["zh-CN", "en"] = "zh-CN"
    languages: dict[LanguageTag, Name] = {}
    """Other languages and dialects that a task may ask for, each with the flow that speaks it."""
    voice: str = ""
    """Voice of the flow."""
    industry: str = ""
    """Word lists to check against; by default the folder's name."""
    words: Words = ()
    """Words of the business that a recogniser may not know: products, medicines, examinations."""
    part: bool = False
    """A sub-flow, never called by itself."""
    task: dict[Name, FieldSpec] = {}
    """What every call task must bring; checked before dialling."""
    start: Name
    """First step."""
    steps: Annotated[dict[Name, Step], Field(min_length=1)]
    anywhere: dict[IntentName, Ways] = {}
    """Intents that are heard at any step."""
    keys: dict[Key, Ways] = {}
    """Keys that work at any step."""
    keys_mean: dict[Key, IntentName] = {}
    """Keys that stand for an intent, for example 1: affirm."""
    silence: Ladder | None = None
    """Ladder of silence for all steps without their own."""
    unclear: Ladder | None = None
    """Ladder of misunderstanding for all steps without their own."""
    trouble: Ways | None = None
    """When a hook or an engine fails, or the conversation goes round in circles."""
    too_long: Ways | None = None
    """When the longest time of a call has passed."""
    limits: Limits = Limits()
    results: dict[Name, str] = {}
    """Outcome -> result class."""
    rules: dict[str, str] = {}
    """Rules of the checker that are switched off, each with the reason."""
