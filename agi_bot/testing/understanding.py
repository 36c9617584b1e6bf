"""A fake interpreter: sentences of the test's own, and nothing else, are understood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from agi_bot.contracts import Context, Intent
from agi_bot.errors import InterpreterDown


class FakeInterpreter:
    """Understands exactly ``sentences``; set :attr:`down` to a reason and it does not answer any more."""

    name = "fake"

    def __init__(self, sentences: Mapping[str, str | Intent]) -> None:
        self._sentences = sentences
        self.down = ""
        self.asked: list[tuple[str, Context]] = []

    async def interpret(self, text: str, context: Context) -> Intent:
        """Raises :class:`~agi_bot.errors.InterpreterDown` while :attr:`down` says why."""
        self.asked.append((text, context))
        if self.down:
            raise InterpreterDown(self.down)
        found = self._sentences.get(text.strip(), "")
        intent = Intent(found, 1.0 if found else 0.0) if isinstance(found, str) else found
        return replace(intent, engine="fake")
