"""What the bot listens for at a step; pure functions over the levels of a dialogue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agi_bot.flow.builtin import AFFIRM, DENY, OTHERWISE, Defaults
from agi_bot.flow.events import Listen
from agi_bot.flow.filling import KEYED, answered_ahead, wanted_entities
from agi_bot.flow.parts import Slot, Way
from agi_bot.flow.script import Script, Step
from agi_bot.flow.state import Asking, Level

LONGEST_KEYING = 20
"""Digits that may be keyed where a slot gives no length."""
SPELLED = frozenset({"phone", "id", "digits"})
"""Kinds that are said digit by digit."""
PATIENT = frozenset({"quick_ms", "sure_ms", "normal_ms", "value_ms", "open_ms"})
"""Limits of turn-taking that follow from `patience`."""
SILENCE_MS = 5000
"""Quiet time until the silence ladder, where the flow gives none."""


def listening(level: Level, name: str, defaults: Defaults, asking: Asking) -> Listen:
    """The :class:`Listen` of the current step of ``level``; ``name`` is the step's full name."""
    confirming = asking.confirming
    step, script = level.step, level.flow.script
    quiet = step.wait if step.wait is not None else step.silence_after or script.silence_after or SILENCE_MS
    return Listen(
        step=name,
        expected=tuple(dict.fromkeys(_expected(step, confirming))),
        wanted=_wanted(level),
        needed=() if confirming else _needed(level),
        silence_ms=quiet,
        patience_ms=step.patience or script.patience or 0,
        turns=_turn_limits(step, script),
        keys=_keys_wanted(level),
        hints=level.flow.hints(level.step_name),
        closed=confirming or _closed(level),
        digits=0 if confirming else _digits(level),
        spelled=not confirming and bool(_spelled(level)),
        backchannel=step.backchannel or script.backchannel or defaults.backchannel,
        resume=step.resume or script.resume or "continue",
        before=() if confirming else asking.before,
    )


def _turn_limits(step: Step, script: Script) -> dict[str, int]:
    """The step's over the flow's; a step's patience sets aside what the flow names of the same kind."""
    of_flow = script.turns.given
    if step.patience:
        of_flow = {name: ms for name, ms in of_flow.items() if name not in PATIENT}
    return {**of_flow, **step.turns.given}


def missing_slots(level: Level) -> list[str]:
    """Slots that the step collects and does not have yet, in order."""
    return [name for name in level.step.collect if name not in level.values]


def ladder_of(levels: Sequence[Level], kind: str, defaults: Defaults) -> tuple[Sequence[Way], Level]:
    """The ladder ``silence`` or ``unclear`` that holds now, and the level it belongs to."""
    own: tuple[Way, ...] | None = getattr(levels[-1].step, kind)
    if own:
        return own, levels[-1]
    for level in reversed(levels):
        ladder: tuple[Way, ...] | None = getattr(level.flow.script, kind)
        if ladder:
            return ladder, level
    default: tuple[Way, ...] = getattr(defaults, kind)
    return default, levels[-1]


def _expected(step: Step, confirming: bool) -> Iterator[str]:
    if confirming or any(spec.type == "boolean" for spec in step.collect.values()):
        yield from (AFFIRM, DENY)
    yield from (name for name in step.on if name != OTHERWISE)


def _wanted(level: Level) -> dict[str, str]:
    """Entities of this step, and of the steps that an answer leads to: people answer ahead."""
    wanted = wanted_entities(level.step.collect)
    if level.step.collect:
        return wanted
    for way in (way for ways in level.step.on.values() for way in ways if way.next):
        next_step = level.flow.script.steps[way.next or ""]
        wanted = {**wanted_entities(answered_ahead(next_step.collect)), **wanted}
    return wanted


def _needed(level: Level) -> tuple[str, ...]:
    """Kinds of the entities that the step still has to collect."""
    slots = {name: level.step.collect[name] for name in missing_slots(level)}
    return tuple(dict.fromkeys(wanted_entities(slots).values()))


def _closed(level: Level) -> bool:
    """Whether all that the step collects is chosen among named words."""
    return all(spec.type in ("boolean", "choice") for spec in level.step.collect.values())


def _spelled(level: Level) -> list[Slot]:
    slots = (level.step.collect[name] for name in missing_slots(level))
    return [spec for spec in slots if spec.type in SPELLED]


def _digits(level: Level) -> int:
    """Digits of the one number that the step collects, 0 where there is none or it has no length."""
    slots = _spelled(level)
    return (slots[0].length or 0) if len(slots) == len(missing_slots(level)) == 1 else 0


def _keys_wanted(level: Level) -> int:
    slots = [level.step.collect[name] for name in missing_slots(level)]
    lengths = [spec.length or LONGEST_KEYING for spec in slots if spec.type in KEYED]
    return max([1, *lengths, *(len(key) for key in level.step.keys)])
