"""The interpreter over Rasa's HTTP server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from agi_bot.contracts import Context, Entity, Intent
from agi_bot.errors import InterpreterDown
from agi_bot.nlu.breaker import Breaker
from agi_bot.nlu.data import NluData
from agi_bot.nlu.entities import KINDS
from agi_bot.nlu.finder import EntityFinder
from agi_bot.nlu.normal import Tidy, tidy
from agi_bot.nlu.rasa_answer import REJECTED, RasaAnswer, read_answer, rerank
from agi_bot.nlu.rasa_client import RasaClient, RasaSettings

PRIOR = 0.5
"""How much more likely the step's own intents are, in log-odds; the same as for the embedded engine."""

THRESHOLD = 0.4
RANKED = 5
LONGEST = 400
WARMING = "好的 ok"
WARM_UP_TIMEOUT_S = 30.0


class RasaInterpreter:
    """Promise ``Interpreter``.  Intents come from Rasa; dates, money and the like from our own grammars.

    After some failures in a row the server is left alone for a while, so that a dead Rasa
    costs a call no time.  Raises :class:`~agi_bot.errors.InterpreterDown` whenever there is
    no sound answer in time.
    """

    def __init__(
        self,
        settings: RasaSettings,
        data: NluData,
        language: str,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.client = RasaClient(settings)
        self._finder = EntityFinder(data, language)
        self._language = language
        self._clock = clock
        self._breaker = Breaker(settings.failures, settings.rest_s)

    @property
    def name(self) -> str:
        return f"rasa ({self._language}, {self.client.settings.url})"

    async def close(self) -> None:
        """Close all connections."""
        await self.client.close()

    async def warm_up(self) -> None:
        """Let the server parse something: its first answer takes seconds.  Raises :class:`InterpreterDown`."""
        await self.client.parse(WARMING, WARM_UP_TIMEOUT_S)

    async def interpret(self, text: str, context: Context) -> Intent:
        """Raises :class:`~agi_bot.errors.InterpreterDown`."""
        text = text[:LONGEST]
        plain = tidy(text)
        if not plain.text:
            return Intent("", engine="rasa")
        answer = await self._ask(plain)
        ranking = rerank(answer.ranking, context.expected, PRIOR)
        name, confidence = ranking[0] if ranking else ("", 0.0)
        accepted = name if confidence >= THRESHOLD and name not in REJECTED else ""
        visible = tuple((label, round(share, 4)) for label, share in ranking if label not in REJECTED)[:RANKED]
        entities = (*self._finder.find(text, context), *_entities(answer, text, plain, context))
        return Intent(accepted, confidence, tuple(dict.fromkeys(entities)), visible, "rasa")

    async def _ask(self, plain: Tidy) -> RasaAnswer:
        if not self._breaker.allows(self._clock()):
            raise InterpreterDown("Rasa is left alone for a while, it did not answer before")
        try:
            answer = read_answer(await self.client.parse(plain.text), len(plain.text))
        except InterpreterDown:
            self._breaker.failed(self._clock())
            raise
        self._breaker.succeeded()
        return answer


def _entities(answer: RasaAnswer, text: str, plain: Tidy, context: Context) -> Iterator[Entity]:
    """Rasa's own entities that the step wants; those that a grammar finds better are left out."""
    for entity in answer.entities:
        if entity.kind in context.wanted.values() and entity.kind not in KINDS:
            start, end = plain.original(entity.start, entity.end)
            yield Entity(entity.kind, entity.value, text[start:end], start, end)
