"""An interpreter that asks a second one when the first does not answer."""

from __future__ import annotations

import logging

from agi_bot.contracts import Context, Intent, Interpreter
from agi_bot.errors import InterpreterDown

log = logging.getLogger(__name__)


class FallbackInterpreter:
    """Promise ``Interpreter``: ``primary``, and ``secondary`` whenever ``primary`` is down.

    Which of them answered stands in :attr:`Intent.engine`.  The change from one to the other
    is logged once, not for every sentence.
    """

    def __init__(self, primary: Interpreter, secondary: Interpreter) -> None:
        self._primary = primary
        self._secondary = secondary
        self._down = False

    @property
    def name(self) -> str:
        return f"{self._primary.name}, else {self._secondary.name}"

    async def interpret(self, text: str, context: Context) -> Intent:
        """Raises :class:`~agi_bot.errors.InterpreterDown` when both are down."""
        try:
            intent = await self._primary.interpret(text, context)
        except InterpreterDown as error:
            self._note(True, str(error))
            return await self._secondary.interpret(text, context)
        self._note(False, "")
        return intent

    def _note(self, down: bool, reason: str) -> None:
        if down and not self._down:
            log.warning("nlu.fallback", extra={"from": self._primary.name, "to": self._secondary.name, "why": reason})
        elif self._down and not down:
            log.info("nlu.recovered", extra={"engine": self._primary.name})
        self._down = down
