"""Limits of turn-taking as an author names them: those of ``turns.limits`` in agi-bot.yml."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from agi_bot.flow.parts import Part

LONGEST_MS = 3_600_000
SHORTEST_TURN_MS = 1000
"""Who sets ``max_turn_ms: 15`` means seconds; the bot would interrupt each first syllable."""

_WRITTEN = re.compile(r"(?P<ms>\d+)\s*(ms)?\Z|(?P<s>\d+(\.\d+)?)\s*s\Z")


def _ms(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"`{value}` is not a whole number of ms; write {_meant(value)}, without quotes or a unit")
    if value < 0:
        raise ValueError(f"`{value}` is less than nothing; it is a time in ms, from 0 on")
    if value > LONGEST_MS:
        raise ValueError(f"`{value}` ms are longer than an hour; it is a time in ms")
    return value


def _meant(value: Any) -> str:
    """What somebody means who writes a unit, quotes or full-width digits."""
    match = _WRITTEN.match(unicodedata.normalize("NFKC", str(value)).strip())
    if match is None:
        return "for example 1500"
    return match["ms"] or str(round(float(match["s"]) * 1000))


def _turn(value: Any) -> int:
    if (ms := _ms(value)) < SHORTEST_TURN_MS:
        raise ValueError(f"no turn is over after {ms} ms; write at least {SHORTEST_TURN_MS}, or 15000 for 15 s")
    return ms


_MS = Annotated[int, Field(ge=0, le=LONGEST_MS)]
_TURN_MS = Annotated[int, Field(ge=SHORTEST_TURN_MS, le=LONGEST_MS)]
Limit = Annotated[int, BeforeValidator(_ms, json_schema_input_type=_MS)]


class TurnLimits(Part):
    """Single limits of turn-taking, ms, over those of agi-bot.yml; docs/turns.md tells what each does."""

    quick_ms: Limit | None = None
    """Silence after an answer that needs nothing more."""
    sure_ms: Limit | None = None
    """Silence after an answer that may go on."""
    normal_ms: Limit | None = None
    """Silence after what was not understood, or is no answer to this question."""
    value_ms: Limit | None = None
    """Silence while the date or number that is asked for is not there yet."""
    open_ms: Limit | None = None
    """Silence after 嗯, 那个, um, my number is ..."""
    wait_ms: Limit | None = None
    """Silence after 等一下, one moment."""
    wordless_ms: Limit | None = None
    """Silence after a voice without words."""
    rise_ms: Limit | None = None
    """How much longer sound that may be the caller who goes on is waited for."""
    unheard_ms: Limit | None = None
    """Voice without words of this length is an answer that was not understood; shorter, a cough."""
    stable_ms: Limit | None = None
    """Words that did not change for so long are understood ahead."""
    max_turn_ms: Annotated[int, BeforeValidator(_turn, json_schema_input_type=_TURN_MS)] | None = None
    """Longest turn of the caller, then the bot interrupts politely."""
    pause_ms: Limit | None = None
    """Sound of the caller after which a speaking bot falls silent."""
    insist_ms: Limit | None = None
    """Sound of this length takes the turn even without words."""
    words_ms: Limit | None = None
    """Words that did not change for so long take the turn."""
    doubt_ms: Limit | None = None
    """Longest silence of the bot for sound without words."""
    nod_ms: Limit | None = None
    """A backchannel that did not change for so long lets the bot go on."""
    echo_tail_ms: Limit | None = None
    """A voice that falls silent so soon after the bot may be its echo."""
    false_alarm_ms: Limit | None = None
    """Silence after sound without words, until the bot goes on."""
    gap_ms: Limit | None = None
    """Sounds further apart are not one voice."""
    backchannel_ms: Limit | None = None
    """Silence after a backchannel, until the bot goes on."""
    answer_ms: Limit | None = None
    """A backchannel that answers counts as the answer in so much of the end of the question."""

    @property
    def given(self) -> dict[str, int]:
        """What the author wrote: name -> ms."""
        return self.model_dump(exclude_none=True)
