"""Filling slots from what the caller said: entities, words of choices, digits."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal

from agi_bot.contracts import Entity, Value
from agi_bot.flow.parts import Slot
from agi_bot.flow.values import ENTITY_OF_KIND, read_value

KEYED = frozenset({"phone", "id", "digits", "number", "integer", "money"})
"""Kinds that can be entered on the telephone's keys."""

_ANY_NUMBER = frozenset({"number", "integer", "percent", "digits"})
_HALF_OF_DAY = re.compile(r"[早午晚夜]|凌晨|清晨|\b[ap]\.?m\b|morning|noon|afternoon|evening|night", re.IGNORECASE)
_FEWEST_DIGITS = 2
"""A lone digit is no code where the slot does not say so: 等一下 is not the code 1."""


@dataclass(slots=True)
class Filled:
    """Values found, and halves of a point in time whose other half is missing."""

    values: dict[str, Value] = field(default_factory=dict)
    halves: dict[str, date | time] = field(default_factory=dict)


def wanted_entities(slots: Mapping[str, Slot]) -> dict[str, str]:
    """Slot -> entity an interpreter should look for; slots filled otherwise are left out."""
    return {
        name: ENTITY_OF_KIND.get(spec.type, spec.type)
        for name, spec in slots.items()
        if spec.type not in ("text", "boolean", "choice")
    }


def answered_ahead(slots: Mapping[str, Slot]) -> dict[str, Slot]:
    """The slots that an answer to an earlier question may fill: not those any number would fit."""
    return {name: spec for name, spec in slots.items() if spec.type not in _ANY_NUMBER}


def fill(
    slots: Mapping[str, Slot],
    entities: Sequence[Entity],
    heard: str,
    known: Mapping[str, Value],
    halves: Mapping[str, date | time],
    now: datetime,
) -> Filled:
    """What ``entities`` and the words ``heard`` say about ``slots``, in the slots' order.

    ``known`` are the values so far: a lone time of day corrects the time of a known datetime.
    """
    filled = Filled()
    left = list(entities)
    codes = sum(spec.type == "digits" for spec in slots.values())
    for name, spec in slots.items():
        if spec.type == "choice":
            _add(filled, name, _choice(spec, heard))
        elif spec.type == "datetime":
            _fill_moment(filled, name, left, known.get(name), halves.get(name), now)
        elif spec.type == "digits":
            _add(filled, name, _digits(spec, left, codes))
            codes -= 1
        elif spec.type not in ("text", "boolean"):
            _add(filled, name, _simple(spec, left))
    return filled


def from_keys(spec: Slot, keys: str) -> Value | None:
    """The value of pressed keys (``*`` is the decimal point of an amount), ``None`` where they do not fit."""
    digits = keys.rstrip("#")
    if spec.length and len(digits) != spec.length:
        return None
    try:
        return read_value(digits.replace("*", ".") if spec.type in ("money", "number") else digits, spec.type)
    except ValueError:
        return None


def _add(filled: Filled, name: str, value: Value | None) -> None:
    if value is not None:
        filled.values[name] = value


def _use(entity: Entity, left: list[Entity]) -> None:
    # This very one, without comparing values: some cannot be compared (Decimal's signalling NaN).
    left[:] = [one for one in left if one is not entity]


def _choice(spec: Slot, heard: str) -> Value | None:
    text = heard.casefold()
    words = [(word.casefold(), value) for value, said in spec.choices.items() for word in (value, *said)]
    found = [(len(word), value) for word, value in words if word and _occurs(word, text)]
    return max(found, key=lambda pair: pair[0])[1] if found else None


def _occurs(word: str, text: str) -> bool:
    if not word.isascii():
        return word in text
    return re.search(rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])", text) is not None


def _digits(spec: Slot, left: list[Entity], slots: int) -> Value | None:
    """The run of digits that fits ``spec``; of several the last ones, in order, for as many ``slots``."""
    fitting = [entity for entity in left if entity.kind == "digits" and _fits_as_digits(entity.value, spec)]
    longest = max((len(str(entity.value)) for entity in fitting), default=0)
    likely = [entity for entity in fitting if 2 * len(str(entity.value)) >= longest][-slots:]
    if not likely:
        return None
    _use(likely[0], left)
    return likely[0].value


def _fits_as_digits(value: Value, spec: Slot) -> bool:
    length = len(value) if isinstance(value, str) else 0
    return length == spec.length if spec.length else length >= _FEWEST_DIGITS


def _simple(spec: Slot, left: list[Entity]) -> Value | None:
    for entity in left:
        value = _converted(entity, spec)
        if value is not None:
            _use(entity, left)
            return value
    return None


def _converted(entity: Entity, spec: Slot) -> Value | None:
    value = entity.value
    if entity.kind == "datetime" and isinstance(value, datetime) and spec.type in ("date", "time"):
        return value.date() if spec.type == "date" else value.time()
    if entity.kind == "number" and spec.type in ("money", "percent"):
        return Decimal(str(value)) if isinstance(value, int | float | Decimal) else None
    if entity.kind != ENTITY_OF_KIND.get(spec.type, spec.type):
        return None
    if spec.length and isinstance(value, str) and len(value) != spec.length:
        return None
    return _typed(value, spec.type)


def _typed(value: Value, kind: str) -> Value | None:
    if kind not in ENTITY_OF_KIND or kind in ("date", "time"):
        return value
    try:
        return read_value(value, kind)
    except ValueError:
        return None


def _fill_moment(
    filled: Filled,
    name: str,
    left: list[Entity],
    known: Value | None,
    half: date | time | None,
    now: datetime,
) -> None:
    whole = _taken(left, "datetime", lambda value: isinstance(value, datetime))
    if whole is not None:
        _add(filled, name, whole.value)
        return
    day = _taken(left, "date", lambda value: isinstance(value, date))
    clock = _taken(left, "time", lambda value: isinstance(value, time))
    known_moment = known if isinstance(known, datetime) else None
    date_part = _date_part(day, half, known_moment)
    time_part = _time_part(clock, half, known_moment)
    if (day or clock) and date_part and time_part is not None:
        filled.values[name] = datetime.combine(date_part, time_part, tzinfo=time_part.tzinfo or now.tzinfo)
    elif day and date_part:
        filled.halves[name] = date_part
    elif clock and time_part is not None:
        filled.halves[name] = time_part


def _taken(left: list[Entity], kind: str, fits: Callable[[Value], bool]) -> Entity | None:
    found = next((entity for entity in left if entity.kind == kind and fits(entity.value)), None)
    if found is not None:
        _use(found, left)
    return found


def _date_part(day: Entity | None, half: date | time | None, known: datetime | None) -> date | None:
    if day is not None and isinstance(day.value, date):
        return day.value
    if isinstance(half, date):
        return half
    return known.date() if known else None


def _time_part(clock: Entity | None, half: date | time | None, known: datetime | None) -> time | None:
    if clock is not None and isinstance(clock.value, time):
        return _same_half(clock.value, clock.text, known)
    if isinstance(half, time):
        return half
    return known.time() if known else None


def _same_half(clock: time, said: str, known: datetime | None) -> time:
    """``四点`` said to correct ``15:00`` is 16:00."""
    if known and known.hour >= 12 and 0 < clock.hour < 12 and not _HALF_OF_DAY.search(said):
        return clock.replace(hour=clock.hour + 12)
    return clock
