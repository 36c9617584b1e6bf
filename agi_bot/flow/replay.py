"""What would have differed: a stored call's caller side against another flow or another interpreter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from agi_bot.contracts import Value
from agi_bot.flow.events import HungUp, RunHook, Silent
from agi_bot.flow.model import Flow, TaskError
from agi_bot.flow.rehearsal import HookAnswer, Rehearsal, Reply, Understands
from agi_bot.flow.values import KINDS, read_value
from agi_bot.record import CallRecord, Turn

MOST_SILENCES = 8


@dataclass(frozen=True, slots=True)
class TurnDifference:
    """One answer of the caller: what was made of it then and now.

    ``step`` is where the answer led; ``said`` what the bot said before it, then, and after it, now.
    """

    number: int
    heard: str
    intent: tuple[str, str]
    step: tuple[str, str]
    said: tuple[str, str]


@dataclass(slots=True)
class Difference:
    """One call, then and now.  ``same`` when outcome, slots, steps and intents agree."""

    call_id: str
    outcome: tuple[str, str] = ("", "")
    turns: list[TurnDifference] = field(default_factory=list)
    slots: dict[str, tuple[str, str]] = field(default_factory=dict)
    error: str = ""

    @property
    def same(self) -> bool:
        return not (self.error or self.turns or self.slots or self.outcome[0] != self.outcome[1])


async def replay(record: CallRecord, flow: Flow, interpreter: Understands) -> Difference:
    """Say to ``flow`` what the caller of ``record`` said, and tell the differences.

    Hooks answer with what the stored call's slots hold.  Task data that the flow cannot
    read is told in ``error``; nothing is raised.
    """
    difference = Difference(record.call_id)
    try:
        task = flow.read_task(
            {name: _written(value) for name, value in record.task.items() if name in flow.script.task}
        )
    except TaskError as error:
        difference.error = str(error)
        return difference
    answers = _StoredAnswers(record.slots)
    rehearsal = Rehearsal(flow, interpreter, task, now=record.started_at, seed=record.call_id, answering=answers.answer)
    await _say_again(record, rehearsal, difference)
    _compare_ends(record, rehearsal, difference)
    return difference


async def _say_again(record: CallRecord, rehearsal: Rehearsal, difference: Difference) -> None:
    await rehearsal.start()
    for number, turn in enumerate(record.turns):
        if not (turn.heard or turn.keys):
            continue
        if rehearsal.dialogue.ended:
            difference.turns.append(_difference(number, turn, Reply(step="(ended)")))
            break
        reply = await (rehearsal.press(turn.keys) if turn.keys else rehearsal.say(turn.heard))
        intent = reply.intent.name if reply.intent else ""
        if turn.step != reply.step or (turn.heard and intent != turn.intent):
            difference.turns.append(_difference(number, turn, reply))
    await _end(record, rehearsal)


async def _end(record: CallRecord, rehearsal: Rehearsal) -> None:
    """What came after the last answer: the caller hung up, or said nothing any more."""
    if record.ended_by == "caller" and not rehearsal.dialogue.ended:
        await rehearsal.happen(HungUp(), "hangs up")
    for _ in range(MOST_SILENCES):
        if not rehearsal.dialogue.ended:
            await rehearsal.happen(Silent(), "silence")


def _difference(number: int, turn: Turn, reply: Reply) -> TurnDifference:
    intent = reply.intent.name if reply.intent else ""
    return TurnDifference(
        number, turn.heard or turn.keys, (turn.intent, intent), (turn.step, reply.step), (turn.said, reply.said)
    )


def _compare_ends(record: CallRecord, rehearsal: Rehearsal, difference: Difference) -> None:
    difference.outcome = (record.outcome, rehearsal.dialogue.outcome or "(still running)")
    now = rehearsal.dialogue.slots
    for name in dict.fromkeys([*record.slots, *now]):
        pair = (_shown(_typed(record.slots.get(name), rehearsal.dialogue.kind_of(name))), _shown(now.get(name)))
        if pair[0] != pair[1]:
            difference.slots[name] = pair


@dataclass(frozen=True, slots=True)
class _StoredAnswers:
    slots: Mapping[str, Value]

    async def answer(self, hook: RunHook) -> HookAnswer:
        if hook.name.startswith("knowledge:"):
            return {"answer": "…"}
        return dict(self.slots)


@dataclass(frozen=True, slots=True)
class Summary:
    """Many calls at once."""

    calls: int
    same: int
    outcomes: Mapping[tuple[str, str], int]
    intents: Mapping[tuple[str, str], int]


def summary(differences: Iterable[Difference]) -> Summary:
    """How many calls end otherwise, and which intents are told otherwise, most frequent first."""
    outcomes: dict[tuple[str, str], int] = {}
    intents: dict[tuple[str, str], int] = {}
    calls = same = 0
    for difference in differences:
        calls += 1
        same += difference.same
        outcomes[difference.outcome] = outcomes.get(difference.outcome, 0) + 1
        for turn in difference.turns:
            if turn.intent[0] != turn.intent[1]:
                intents[turn.intent] = intents.get(turn.intent, 0) + 1
    return Summary(calls, same, _by_count(outcomes), _by_count(intents))


def _by_count(table: dict[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    return dict(sorted(table.items(), key=lambda pair: -pair[1]))


def _typed(value: Value | None, kind: str) -> Value | None:
    """A stored value, which may be text, as the kind that the flow gives the slot."""
    try:
        return read_value(value, kind) if isinstance(value, str) and kind in KINDS else value
    except ValueError:
        return value


def _written(value: Value) -> Any:
    return value.isoformat() if isinstance(value, datetime | date | time) else value


def _shown(value: Value | None) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(timespec="minutes")
    return value.isoformat() if isinstance(value, date | time) else str(value)
