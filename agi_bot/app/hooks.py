"""Hooks by the kind of their name: ``knowledge:NAME`` asks a knowledge file, all others go by HTTP."""

from __future__ import annotations

from collections.abc import Mapping

from agi_bot.contracts import Value
from agi_bot.conversation import HookError, Hooks
from agi_bot.errors import NluError
from agi_bot.nlu.knowledge import KnowledgeShelf

KNOWLEDGE = "knowledge:"


class FlowHooks:
    """The hooks of one flow: ``http`` is shared by all, ``shelf`` has the knowledge beside the flow."""

    def __init__(self, http: Hooks, shelf: KnowledgeShelf) -> None:
        self._http = http
        self._shelf = shelf

    async def run(self, name: str, arguments: Mapping[str, Value]) -> Mapping[str, Value]:
        if not name.startswith(KNOWLEDGE):
            return await self._http.run(name, arguments)
        try:
            return await self._shelf.run(name.removeprefix(KNOWLEDGE), arguments)
        except NluError as error:
            raise HookError(error.message, cure=error.cure) from error
