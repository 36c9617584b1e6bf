"""Hooks by the kind of their name: ``knowledge:NAME`` asks a knowledge base, all others go by HTTP."""

from __future__ import annotations

from collections.abc import Mapping

from agi_bot.contracts import Value
from agi_bot.conversation import HookError, Hooks, HttpHooks

KNOWLEDGE = "knowledge:"


class AllHooks:
    """Every hook that a flow may run."""

    def __init__(self, http: HttpHooks, knowledge: Hooks | None = None) -> None:
        self._http = http
        self._knowledge = knowledge

    async def close(self) -> None:
        """Close the kept connections."""
        await self._http.close()

    async def run(self, name: str, arguments: Mapping[str, Value]) -> Mapping[str, Value]:
        if not name.startswith(KNOWLEDGE):
            return await self._http.run(name, arguments)
        if self._knowledge is None:
            raise HookError(f"there is no knowledge base '{name.removeprefix(KNOWLEDGE)}'")
        return await self._knowledge.run(name.removeprefix(KNOWLEDGE), arguments)
