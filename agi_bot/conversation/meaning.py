"""What the caller's words mean, within a time that a caller may wait."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import datetime

from agi_bot.contracts import Context, Intent, Interpreter
from agi_bot.errors import InterpreterDown
from agi_bot.flow.events import Listen

log = logging.getLogger(__name__)

MEANING_TIMEOUT_S = 5.0
"""An interpreter that does not answer for this long is taken for dead; ours have shorter limits of their own."""


class Meaning:
    """Asks ``interpreter`` for one call in ``language``; ``told`` is what log lines say of the call."""

    def __init__(self, interpreter: Interpreter, language: str, told: Mapping[str, str]) -> None:
        self._interpreter = interpreter
        self._language = language
        self._told = dict(told)

    async def of(self, text: str, asks: Listen, now: datetime) -> Intent:
        """What ``text`` means in answer to ``asks``.

        Raises :class:`InterpreterDown` for whatever goes wrong, an answer that does not come included.
        """
        if not text.strip():
            return Intent("")
        context = Context(self._language, now, asks.expected, asks.wanted, asks.before)
        try:
            async with asyncio.timeout(MEANING_TIMEOUT_S) as limit:
                return await self._interpreter.interpret(text, context)
        except InterpreterDown:
            raise
        except Exception as error:
            if limit.expired():
                raise InterpreterDown(f"the interpreter did not answer for {MEANING_TIMEOUT_S:g} s") from error
            log.exception("interpreter.crashed", extra=self._told)
            raise InterpreterDown(f"the interpreter failed: {error!r}") from error
