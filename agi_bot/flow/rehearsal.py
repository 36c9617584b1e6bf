"""A conversation with a flow without a telephone: texts in, texts out.

Works with every :class:`~agi_bot.contracts.Interpreter`; hooks are answered from what the
author gives.  ``async`` only because interpreters are; there is no clock and no I/O here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from agi_bot.contracts import Context, Intent, Transcript, Value
from agi_bot.flow.dialogue import Dialogue
from agi_bot.flow.events import (
    Action,
    Event,
    Heard,
    HookFailed,
    HookReturned,
    Keyed,
    Listen,
    PromptCut,
    RunHook,
    Say,
    Span,
    Started,
)
from agi_bot.flow.model import Flow

HookAnswer = Mapping[str, Value] | None
"""Values that a hook gives; ``None``: it fails."""
Answering = Callable[[RunHook], Awaitable[HookAnswer]]


class Understands(Protocol):
    """The part of :class:`~agi_bot.contracts.Interpreter` that a rehearsal needs."""

    async def interpret(self, text: str, context: Context) -> Intent: ...


@dataclass(slots=True)
class Reply:
    """What came of one thing the caller did."""

    did: str = ""
    intent: Intent | None = None
    said: str = ""
    spans: tuple[Span, ...] = ()
    hooks: list[str] = field(default_factory=list)
    step: str = ""
    listen: Listen | None = None


async def no_answers(hook: RunHook) -> HookAnswer:
    """Every hook works and gives nothing; knowledge gives no answer."""
    return {}


class Rehearsal:
    """One rehearsed call.  ``replies`` are its turns, the first one the greeting."""

    def __init__(
        self,
        flow: Flow,
        interpreter: Understands,
        task: Mapping[str, Value],
        *,
        now: datetime,
        seed: str = "",
        answering: Answering = no_answers,
    ) -> None:
        self.dialogue = Dialogue(flow, task, seed=seed)
        self.replies: list[Reply] = []
        self._flow = flow
        self._interpreter = interpreter
        self._now = now
        self._answering = answering
        self._listen: Listen | None = None
        self._prompt = 0

    async def start(self) -> Reply:
        """The call is answered."""
        return await self._feed(Reply(), Started(self._now))

    async def say(self, text: str, intent: Intent | None = None) -> Reply:
        """The caller says ``text``; ``intent`` is used instead of asking the interpreter."""
        found = intent or await self._interpreter.interpret(text, self.context())
        return await self._feed(Reply(did=text, intent=found), Heard(found, Transcript(text, final=True)))

    async def interrupt(self, words: int) -> None:
        """The caller cuts the last prompt after ``words`` of its words."""
        self.dialogue.receive(PromptCut(self._prompt, words))

    async def press(self, keys: str) -> Reply:
        """The caller presses ``keys``."""
        return await self._feed(Reply(did=f"[{keys}]"), Keyed(keys))

    async def happen(self, event: Event, name: str) -> Reply:
        """Anything else happens: silence, a hang-up, a failed engine."""
        return await self._feed(Reply(did=f"({name})"), event)

    def context(self) -> Context:
        """What an interpreter is told now."""
        listen = self._listen
        return Context(
            language=self._flow.language,
            now=self._now,
            expected=listen.expected if listen else (),
            wanted=listen.wanted if listen else {},
            before=listen.before if listen else (),
        )

    async def _feed(self, reply: Reply, event: Event) -> Reply:
        waiting: list[Event] = [event]
        while waiting:
            for action in self.dialogue.receive(waiting.pop(0)):
                answer = await self._carry_out(action, reply)
                waiting.extend([answer] if answer else [])
        reply.step = self.dialogue.step
        reply.listen = self._listen
        self.replies.append(reply)
        return reply

    async def _carry_out(self, action: Action, reply: Reply) -> Event | None:
        if isinstance(action, Say):
            self._prompt = action.prompt
            reply.said += action.text
            reply.spans += action.spans
        elif isinstance(action, Listen):
            self._listen = action
        elif isinstance(action, RunHook):
            reply.hooks.append(action.name)
            values = await self._answering(action)
            return HookFailed(action.hook, "rehearsed failure") if values is None else HookReturned(action.hook, values)
        return None
