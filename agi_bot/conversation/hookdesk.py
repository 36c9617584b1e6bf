"""Runs a dialogue's hooks beside the talk, with a filler when the answer takes long."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping

from agi_bot.conversation.hooks import HookError, Hooks, run_with_retries
from agi_bot.flow.events import HookFailed, HookReturned, RunHook, Span, lacking

log = logging.getLogger(__name__)

Answer = HookReturned | HookFailed


LOOK_AGAIN_S = 0.1

Spans = tuple[Span, ...]


class _Filler:
    """Words for a hook that is slow: said once they are due and the caller does not speak."""

    def __init__(self, hook: RunHook, speaking: Callable[[], bool], say: Callable[[Spans], None]) -> None:
        self._spans = hook.filler
        self._speaking = speaking
        self._say = say
        self._timer = asyncio.get_running_loop().call_later(hook.filler_after_ms / 1000, self._due)

    def _due(self) -> None:
        if self._speaking():
            self._timer = asyncio.get_running_loop().call_later(LOOK_AGAIN_S, self._due)
        elif self._spans:
            self._say(self._spans)

    def cancel(self) -> None:
        """The hook has answered."""
        self._timer.cancel()


class HookDesk:
    """``answer`` hears of each hook's end; ``fill`` speaks when one is slow and the caller is not ``speaking``."""

    def __init__(
        self,
        hooks: Hooks,
        answer: Callable[[Answer], None],
        fill: Callable[[Spans], None],
        speaking: Callable[[], bool],
        told: Mapping[str, str] | None = None,
    ) -> None:
        self._told = dict(told or {})
        self._hooks = hooks
        self._answer = answer
        self._fill = fill
        self._speaking = speaking
        self._running: set[asyncio.Task[None]] = set()

    @property
    def busy(self) -> bool:
        """Whether a hook has not answered yet."""
        return bool(self._running)

    def run(self, hook: RunHook) -> None:
        """Start ``hook``."""
        task = asyncio.create_task(self._run(hook))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def drop(self) -> None:
        """Nobody waits for what still runs."""
        for task in self._running:
            task.cancel()

    async def stop(self) -> None:
        """Give up whatever still runs: the call is over."""
        self.drop()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _run(self, hook: RunHook) -> None:
        filler = _Filler(hook, self._speaking, self._fill)
        try:
            self._answer(await self._ask(hook))
        finally:
            filler.cancel()

    async def _ask(self, hook: RunHook) -> Answer:
        try:
            values = await run_with_retries(
                self._hooks,
                hook.name,
                hook.arguments,
                timeout_s=hook.timeout_s,
                retries=hook.retries,
                told=self._told,
            )
        except HookError as error:
            return HookFailed(hook.hook, error.message)
        except Exception as error:
            log.exception("hook.crashed", extra={**self._told, "hook": hook.name})
            return HookFailed(hook.hook, repr(error))
        if missing := lacking(hook.saves, values):
            reason = f"the answer lacks {', '.join(missing)}"
            log.warning("hook.failed", extra={**self._told, "hook": hook.name, "reason": reason, "retries_left": 0})
            return HookFailed(hook.hook, reason)
        return HookReturned(hook.hook, values)
