"""A whole call masked: its record, and the spans of its sound that must be silent.  Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from agi_bot.contracts import Entity, Value, Word
from agi_bot.privacy.digits import Run, runs
from agi_bot.privacy.masking import LEAST, MASK, Hidden, Masked, Masker, cover, kind_of, mask_text, mask_value
from agi_bot.record import CallRecord, Turn

MARGIN_MS = 120
"""Silence on both sides of a number: a recogniser's word times are that exact."""

NEVER = 2**31
"""Later than any sound, ms."""

LEAST_REPEATED = 3
"""A piece of a masked number that the bot repeats is masked from so many digits on."""


@dataclass(frozen=True, slots=True)
class Silenced:
    """``from_ms``..``to_ms`` of the call's clock; ``channel`` 0 is the caller's, 1 the bot's."""

    channel: int
    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True)
class Masking:
    """The masked copy of a record, what is to be silenced, and how many numbers of which kind there were."""

    record: CallRecord
    silenced: tuple[Silenced, ...]
    kinds: dict[str, int]

    @property
    def clean(self) -> bool:
        """There was nothing to mask in what was said."""
        return not self.silenced


def mask_record(record: CallRecord) -> Masking:
    """``record`` without its numbers of seven and more digits; ``record`` itself is left as it is.

    Masked are what was said, heard and pressed, entities, slots, task data and notes.  The
    numbers of the line itself (``caller``, ``called``, ``transfer_to``) stay: without them
    no call could be found in the PBX's own log.
    """
    heard = _across((turn.heard, turn.said) for turn in record.turns)
    keys = _across((turn.keys, turn.said) for turn in record.turns)
    pieces = _pieces(record.turns, heard)
    said = _said(record.turns, pieces)
    turns = [
        _turn(turn, said=said[place].text, heard=heard[place], keys=keys[place].text)
        for place, turn in enumerate(record.turns)
    ]
    counted = Counter(hidden.kind for parts in (heard, keys) for part in parts for hidden in part.hidden)
    money = {entity.value for turn in record.turns for entity in turn.entities if entity.kind == "money"}
    whole = replace(
        record,
        turns=turns,
        slots={name: _slot(value, money, pieces) for name, value in record.slots.items()},
        task={name: mask_value(value) for name, value in record.task.items()},
    )
    return Masking(whole, tuple(_silenced(record.turns, heard, said)), dict(counted))


def _across(texts: Iterable[tuple[str, str]]) -> list[Masked]:
    """``texts``: what one side said, and what the other had said before it."""
    masker = Masker()
    for text, between in texts:
        masker.hear(text, between)
    return masker.finish()


def _said(turns: Sequence[Turn], pieces: set[str]) -> list[Masked]:
    """The bot's words; a piece of a number that it repeats goes with the number."""
    return [cover(turn.said, _of_bot(turn.said, pieces)) for turn in turns]


def _of_bot(text: str, pieces: set[str]) -> list[tuple[Run, str]]:
    wanted = (run for run in runs(text) if len(run.digits) >= LEAST or run.digits in pieces)
    return [(run, kind_of(run.digits)) for run in wanted]


def _pieces(turns: Sequence[Turn], heard: Sequence[Masked]) -> set[str]:
    """What callers said of their numbers in one utterance each, as digits."""
    spans = [turn.heard[one.start : one.end] for turn, part in zip(turns, heard, strict=True) for one in part.hidden]
    found = {run.digits for span in spans for run in runs(span)}
    return {digits for digits in found if len(digits) >= LEAST_REPEATED}


def _turn(turn: Turn, *, said: str, heard: Masked, keys: str) -> Turn:
    return replace(
        turn,
        said=said,
        heard=heard.text,
        keys=keys,
        entities=tuple(_entity(entity, heard.hidden) for entity in turn.entities),
        notes=[mask_text(note) for note in turn.notes],
        words=(),
    )


def _entity(entity: Entity, hidden: Sequence[Hidden]) -> Entity:
    if entity.kind == "money":
        return entity
    overlaps = any(entity.start < one.end and one.start < entity.end for one in hidden)
    value, text = mask_value(entity.value), mask_text(entity.text)
    if overlaps and value == entity.value and _is_number(entity):
        stars = MASK * len(str(entity.value))
        return replace(entity, value=stars, text=MASK * len(entity.text))
    return replace(entity, value=value, text=text)


def _is_number(entity: Entity) -> bool:
    """Piece of a number that is spread over several turns."""
    return entity.kind not in ("date", "time", "datetime") and isinstance(entity.value, str | int)


def _slot(value: Value, money: set[Value], pieces: set[str]) -> Value:
    if value in money:
        return value
    return MASK * len(str(value)) if str(value) in pieces else mask_value(value)


# --- the sound -----------------------------------------------------------------------------


def _silenced(turns: Sequence[Turn], heard: Sequence[Masked], said: Sequence[Masked]) -> Iterator[Silenced]:
    for turn, mine in zip(turns, heard, strict=True):
        if turn.heard_to_ms is not None and turn.heard:
            for hidden in mine.hidden:
                yield Silenced(0, *_times(turn, hidden))
    for place, bots in enumerate(said):
        begins = turns[place].said_from_ms
        if bots.hidden and begins is not None:
            yield Silenced(1, max(0, begins - MARGIN_MS), _next_words(turns[place + 1 :]) - MARGIN_MS)


def _next_words(turns: Sequence[Turn]) -> int:
    """Where the bot spoke next: nothing tells its words' own times."""
    return next((turn.said_from_ms for turn in turns if turn.said_from_ms is not None), NEVER)


def _times(turn: Turn, hidden: Hidden) -> tuple[int, int]:
    """The words' times; those of the whole utterance when the words do not tell."""
    inside = _words_at(turn, hidden)
    if inside:
        return max(0, inside[0].start_ms - MARGIN_MS), inside[-1].end_ms + MARGIN_MS
    first = turn.heard_from_ms if turn.heard_from_ms is not None else 0
    return max(0, first - MARGIN_MS), (turn.heard_to_ms or first) + MARGIN_MS


def _words_at(turn: Turn, hidden: Hidden) -> list[Word]:
    """The words that stand at the hidden characters; none when words and text do not agree."""
    at, found = 0, []
    for word in turn.words:
        start = turn.heard.find(word.text, at)
        if start < 0 or turn.heard[at:start].strip():
            return []
        at = start + len(word.text)
        if start < hidden.end and hidden.start < at:
            found.append(word)
    return [] if turn.heard[at:].strip() else found
