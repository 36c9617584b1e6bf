"""Running dialogue tests: what went wrong, with the conversation, and what was covered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from agi_bot.contracts import Entity, Intent, Value
from agi_bot.flow.evaluation import local
from agi_bot.flow.events import EngineFailed, HungUp, Noticed, RunHook, Silent, TooLong
from agi_bot.flow.model import Flow, TaskError
from agi_bot.flow.problem import Spot
from agi_bot.flow.rehearsal import Answering, HookAnswer, Rehearsal, Reply, Understands, no_answers
from agi_bot.flow.testcase import Expected, Line, TestCase, WrittenTest
from agi_bot.flow.values import KINDS, read_value

FAILS = "fails"


@dataclass(slots=True)
class TestResult:
    """What came of one test; it passed when ``failures`` is empty.

    ``talk`` is the conversation in lines, ``trace`` the ways taken (for coverage).
    """

    __test__ = False  # not a test of pytest

    name: str
    flow: str
    spot: Spot
    failures: list[str] = field(default_factory=list)
    talk: list[str] = field(default_factory=list)
    trace: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return not self.failures


async def run_test(
    test: WrittenTest, flow: Flow, interpreter: Understands, *, answering: Answering = no_answers
) -> TestResult:
    """Rehearse ``test`` with ``flow``; never raises for what the test or the flow does wrong."""
    result = TestResult(test.case.name, flow.name, test.spot)
    try:
        task = flow.read_task(test.case.task or flow.example_task())
        now = datetime.fromisoformat(test.case.now)
    except (TaskError, ValueError) as error:
        result.failures.append(f"{test.spot}: {error}")
        return result
    runner = _Runner(test, flow, interpreter, task, now, answering)
    await runner.run(result)
    return result


class _Runner:
    def __init__(
        self,
        test: WrittenTest,
        flow: Flow,
        interpreter: Understands,
        task: Mapping[str, Value],
        now: datetime,
        fallback: Answering,
    ) -> None:
        self.test = test
        self.now = now
        self.fallback = fallback
        self.hooks: dict[str, Any] = dict(test.case.hooks)
        seed = test.case.seed or test.case.name
        self.rehearsal = Rehearsal(flow, interpreter, task, now=now, seed=seed, answering=self.answer)
        self.reply = Reply()

    async def run(self, result: TestResult) -> None:
        self.reply = await self.rehearsal.start()
        result.talk.append(f"bot: {self.reply.said}")
        for line, spot in zip(self.test.case.talk, self.test.lines, strict=True):
            before = len(self.rehearsal.replies)
            if line.bot is not None:
                result.failures += [f"{spot}: {fault}" for fault in self.unmet(line.bot)]
            elif self.rehearsal.dialogue.ended:
                result.failures.append(f"{spot}: the call has already ended ({self.rehearsal.dialogue.outcome})")
                break
            else:
                await self.act(line)
            result.talk += [text for reply in self.rehearsal.replies[before:] for text in told(reply)]
        result.failures += [f"{self.test.spot}: {fault}" for fault in self.wrong_end(self.test.case)]
        result.trace = self.rehearsal.dialogue.trace

    async def act(self, line: Line) -> None:
        self.hooks.update(line.hooks)
        if line.mood is not None:
            self.rehearsal.dialogue.receive(Noticed(frozenset(line.mood)))
        if line.interrupts is not None:
            await self.rehearsal.interrupt(line.interrupts)
        if line.caller is not None:
            self.reply = await self.rehearsal.say(line.caller, self.assumed(line))
        elif line.keys is not None:
            self.reply = await self.rehearsal.press(line.keys)
        for _ in range(line.silence or 0):
            self.reply = await self.rehearsal.happen(Silent(), "silence")
        if line.hang_up:
            self.reply = await self.rehearsal.happen(HungUp(), "hangs up")
        if line.too_long:
            self.reply = await self.rehearsal.happen(TooLong(), "longest call")
        if line.engine_failed:
            self.reply = await self.rehearsal.happen(EngineFailed(line.engine_failed), f"{line.engine_failed} fails")

    def assumed(self, line: Line) -> Intent | None:
        if line.intent is None and not line.entities:
            return None
        entities = tuple(Entity(kind, _typed(raw, kind, self.now), str(raw)) for kind, raw in line.entities.items())
        return Intent(line.intent or "", 1.0 if line.intent else 0.0, entities, engine="test")

    async def answer(self, hook: RunHook) -> HookAnswer:
        given = self.hooks.get(hook.name)
        if given is None:
            return await self.fallback(hook)
        if isinstance(given, list):
            following = given[0]
            self.hooks[hook.name] = given[1:] or given
            given = following
        if given == FAILS:
            return None
        return {"answer": given} if isinstance(given, str) else dict(given or {})

    def unmet(self, expected: Expected) -> Iterator[str]:
        said = self.reply.said
        for text in expected.contains:
            if text not in said:
                yield f"the bot should say “{text}”, it says “{said}”"
        for text in expected.excludes:
            if text in said:
                yield f"the bot should not say “{text}”, it says “{said}”"
        if expected.is_ is not None and expected.is_ != said:
            yield f"the bot should say “{expected.is_}”, it says “{said}”"
        if expected.step is not None and expected.step != self.reply.step:
            yield f"the flow should be at step {expected.step}, it is at {self.reply.step}"
        protected = "".join(span.text if span.protected else "\n" for span in self.reply.spans)
        if expected.protected is not None and expected.protected not in protected:
            yield f"“{expected.protected}” should be protected"

    def wrong_end(self, case: TestCase) -> Iterator[str]:
        dialogue = self.rehearsal.dialogue
        pairs: Sequence[tuple[str, object, object]] = (
            ("outcome", case.ends, dialogue.outcome or "none, the call still runs"),
            ("transfer", case.transfer, dialogue.transfer_to or "none"),
            ("result class", case.result, dialogue.result_class or "none"),
        )
        for what, wanted, got in pairs:
            if wanted is not None and wanted != got:
                yield f"the {what} should be {wanted}, it is {got}"
        if case.tags is not None and sorted(case.tags) != sorted(dialogue.tags):
            yield f"the tags should be {', '.join(case.tags) or 'none'}, they are {', '.join(dialogue.tags) or 'none'}"
        steps = tuple(step for kind, step, _ in dialogue.trace if kind == "step")
        if case.steps is not None and case.steps != steps:
            yield f"the steps should be {', '.join(case.steps)}, they are {', '.join(steps)}"
        yield from self.wrong_slots(case)

    def wrong_slots(self, case: TestCase) -> Iterator[str]:
        slots = self.rehearsal.dialogue.slots
        for name, raw in case.slots.items():
            got = slots.get(name)
            if raw is None and got is None:
                continue
            kind = self.rehearsal.dialogue.kind_of(name)
            wanted = _typed(raw, kind, self.now)
            if got is None or local(got, self.now) != local(wanted, self.now):
                yield f"slot {name} should be {raw}, it is {got if got is not None else 'empty'}"


def told(reply: Reply) -> Iterator[str]:
    """A turn in lines."""
    if reply.did:
        name = reply.intent.name or "not understood" if reply.intent else ""
        yield f"caller: {reply.did}" + (f"   [{name} {reply.intent.confidence:.2f}]" if reply.intent else "")
    yield from (f"hook: {hook}" for hook in reply.hooks)
    if reply.said:
        yield f"bot: {reply.said}"


def _typed(raw: Any, kind: str, now: datetime) -> Value:
    """A written value as ``kind``; a point in time without a zone is one of the call's."""
    try:
        value = read_value(raw, kind if kind in KINDS else "text")
    except ValueError:
        value = str(raw)
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=now.tzinfo)
    return value
