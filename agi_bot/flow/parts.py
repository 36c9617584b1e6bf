"""The small written parts of a flow: texts, durations, ways, slots to collect.

Each accepts short forms (``affirm: confirmed``) and turns them into one full form before
it is validated, so that the rest of the house sees only the full form.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from agi_bot.flow.expression import parse_expression
from agi_bot.flow.template import parse_template

NAME = r"^[^\W\d][\w\-]{0,63}$"
"""Names of steps, slots and tags: letters of any script, digits, ``_``; a letter first."""

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|min|m)?\Z")
_UNIT_MS = {"ms": 1, "s": 1000, None: 1000, "m": 60_000, "min": 60_000}


class Part(BaseModel):
    """Base of everything written in a flow: unknown keys are refused, numbers may stand for text."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, coerce_numbers_to_str=True, populate_by_name=True, use_attribute_docstrings=True
    )


def _text(value: str) -> str:
    if not value.strip():
        raise ValueError("the text is empty; write what the bot should say")
    parse_template(value)
    return value.strip()


def _condition(value: str) -> str:
    parse_expression(value)
    return value


def _duration(value: Any) -> int:
    match = _DURATION.match(str(value).strip()) if not isinstance(value, bool | list | dict) else None
    if match is None:
        raise ValueError(f"`{value}` is not a duration; write 800ms, 5s or 2m")
    milliseconds = int(float(match.group(1)) * _UNIT_MS[match.group(2)])
    if milliseconds > 3_600_000:
        raise ValueError(f"`{value}` is longer than an hour")
    return milliseconds


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


def _computed(value: Any) -> Any:
    """``= expression``, a template, or a plain constant."""
    if isinstance(value, str) and value.startswith("="):
        parse_expression(value[1:])
    elif isinstance(value, str):
        parse_template(value)
    return value


Name = Annotated[str, Field(pattern=NAME)]
LanguageTag = Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
IntentName = Annotated[str, Field(pattern=r"^[^\W\d][\w\-/]{0,63}$")]
Text = Annotated[str, AfterValidator(_text)]
Texts = Annotated[tuple[Text, ...], BeforeValidator(_as_list, json_schema_input_type=str | list[str])]
Names = Annotated[tuple[Name, ...], BeforeValidator(_as_list, json_schema_input_type=str | list[str])]
Words = Annotated[tuple[str, ...], BeforeValidator(_as_list, json_schema_input_type=str | list[str])]
Condition = Annotated[str, AfterValidator(_condition)]
Milliseconds = Annotated[int, BeforeValidator(_duration, json_schema_input_type=int | float | str)]
Computed = Annotated[bool | int | float | str, AfterValidator(_computed)]
Key = Annotated[str, Field(pattern=r"^[0-9*#A-D]{1,4}$")]


class Wording(Part):
    """One text or several: ``texts`` in turn, or by ``names`` an A/B test that stays the same in a call."""

    texts: Annotated[tuple[Text, ...], Field(min_length=1, max_length=20)]
    names: tuple[str, ...] = ()


Several = Annotated[list[str], Field(min_length=1)]


def _wording(value: Any) -> Any:
    if isinstance(value, Wording):
        return value
    if isinstance(value, dict):
        return {"texts": list(value.values()), "names": list(value)}
    return {"texts": _as_list(value)}


Say = Annotated[Wording, BeforeValidator(_wording, json_schema_input_type=str | Several | dict[str, str])]


class Way(Part):
    """What the bot does on an answer: says something, remembers something, goes somewhere."""

    when: Condition | None = None
    """Condition; the way is taken only when it holds."""
    say: Say | None = None
    """What is said on the way."""
    protect: Words = ()
    """Parts of the text that the caller cannot interrupt."""
    set: dict[Name, Computed] = {}
    """Slots to fill: a constant, a text with {slots}, or `= expression`."""
    mark: Names = ()
    """Tags for the call's record, for example do_not_call."""
    result: str | None = None
    """Result class of the call."""
    knowledge: Name | None = None
    """Answer the caller's question from this knowledge base."""
    next: Name | None = None
    """Step to go to."""
    then: Literal["return", "repeat", "listen"] | None = None
    """`return` asks the step's question again, `repeat` says the last words again, `listen` just listens on."""
    transfer: Text | None = None
    """Extension or queue to send the caller to."""
    end: Name | None = None
    """Outcome; the bot's part ends."""
    hang_up: bool = False
    """End the call itself as well, instead of giving it back to the dialplan."""

    @property
    def leaves(self) -> bool:
        """Whether the bot's part ends here."""
        return self.end is not None or self.transfer is not None


def _ways(value: Any) -> Any:
    return [{"next": way} if isinstance(way, str) else way for way in _as_list(value)]


def _rungs(value: Any) -> Any:
    return [{"say": rung} if isinstance(rung, str) else rung for rung in _as_list(value)]


_WAY_SCHEMA = str | Way | list[str | Way]
Ways = Annotated[tuple[Way, ...], BeforeValidator(_ways, json_schema_input_type=_WAY_SCHEMA), Field(min_length=1)]
Ladder = Annotated[tuple[Way, ...], BeforeValidator(_rungs, json_schema_input_type=_WAY_SCHEMA), Field(min_length=1)]


class TaskField(Part):
    """What every call task must bring."""

    type: Name = "text"
    """Kind of value."""
    example: Any = None
    """A value as it may come; used by rehearsals and drawings."""
    required: bool = True
    default: Any = None
    choices: tuple[str, ...] = ()


class Slot(Part):
    """A value to collect from the caller."""

    type: Name
    ask: Say | None = None
    """Question for this slot where a step collects several."""
    choices: dict[str, Words] = {}
    """For `choice`: value -> the words that mean it."""
    length: Annotated[int, Field(ge=1, le=32)] | None = None
    """Number of digits (phone, id, digits), spoken or keyed."""
    check: Condition | None = None
    """What the value must fulfil."""
    invalid: Say | None = None
    """Said when it does not."""


def _slot(value: Any) -> Any:
    return {"type": value} if isinstance(value, str) else value


SlotSpec = Annotated[Slot, BeforeValidator(_slot, json_schema_input_type=str | Slot)]


class HookCall(Part):
    """A call of a hook: what it gets, what it gives, what happens when it fails."""

    hook: Annotated[str, Field(pattern=r"^[^\W\d][\w.\-]{0,63}$")]
    """Name of the hook, for example crm.reschedule."""
    with_: Annotated[dict[Name, Computed], Field(alias="with")] = {}
    """Arguments."""
    save: dict[Name, Name] = {}
    """Slot -> kind of what the hook answers under that name."""
    timeout: Milliseconds = 5000
    retries: Annotated[int, Field(ge=0, le=5)] = 0
    filler: Text | None = None
    """Said when the answer takes longer than `filler_after`; without one, "one moment, please"."""
    filler_after: Milliseconds | None = None
    """800ms for a filler of one's own, else 1.5s."""
    failed: Ways | None = None
    """Where to go when the hook fails."""


def _hook_call(value: Any) -> Any:
    return {"hook": value} if isinstance(value, str) else value


Hook = Annotated[HookCall, BeforeValidator(_hook_call, json_schema_input_type=str | HookCall)]
