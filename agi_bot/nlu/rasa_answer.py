"""What Rasa's server answers to ``/model/parse``, checked key by key, and re-ranked by the step's context.

The answer has ``intent {name, confidence}``, ``intent_ranking [{name, confidence}]``,
``entities [{entity, value, start, end}]`` and, for retrieval intents, ``response_selector``
(Rasa 3.6 HTTP API).  A server that answers 200 with anything else counts as down.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agi_bot.errors import InterpreterDown

REJECTED = frozenset({"out_of_scope", "nlu_fallback"})
"""Intents of Rasa that mean: not understood."""

Json = object


@dataclass(frozen=True, slots=True)
class RasaEntity:
    """An entity as Rasa found it; offsets in the text that was sent."""

    kind: str
    value: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class RasaAnswer:
    """Ranking of intents, best first, and entities."""

    ranking: tuple[tuple[str, float], ...]
    entities: tuple[RasaEntity, ...]


def read_answer(answer: Json, length: int) -> RasaAnswer:
    """Check ``answer`` to a text of ``length`` characters.  Raises :class:`InterpreterDown` saying what is wrong."""
    body = _mapping(answer, "the answer")
    best = _intent(_mapping(body.get("intent"), "intent"))
    listed = [_intent(_mapping(entry, "intent_ranking")) for entry in _sequence(body.get("intent_ranking", []))]
    ranking = [entry for entry in (listed or [best]) if entry[0]]
    named = [_with_key(body, entry) for entry in ranking]
    entities = [_entity(_mapping(entry, "entities"), length) for entry in _sequence(body.get("entities", []))]
    return RasaAnswer(tuple(sorted(named, key=lambda entry: -entry[1])), tuple(entities))


def rerank(ranking: Sequence[tuple[str, float]], expected: Sequence[str], prior: float) -> list[tuple[str, float]]:
    """``ranking`` after ``prior`` log-odds were added to the ``expected`` intents, best first."""
    groups = {name for name in expected if "/" not in name}
    weights = [(name, share * (math.exp(prior) if _expected(name, expected, groups) else 1)) for name, share in ranking]
    total = sum(weight for _, weight in weights) or 1.0
    rest = max(0.0, 1.0 - sum(share for _, share in ranking))
    return sorted(((name, weight / (total + rest)) for name, weight in weights), key=lambda entry: -entry[1])


def _expected(name: str, expected: Sequence[str], groups: set[str]) -> bool:
    return name in expected or name.split("/")[0] in groups


def _intent(entry: Mapping[str, Json]) -> tuple[str, float]:
    name, confidence = entry.get("name"), entry.get("confidence")
    if name is not None and not isinstance(name, str):
        raise _nonsense("an intent's name is not text")
    if isinstance(confidence, bool) or not isinstance(confidence, (int, float)) or not 0 <= confidence <= 1.0001:
        raise _nonsense("an intent's confidence is not between 0 and 1")
    return name or "", min(1.0, float(confidence))


def _with_key(body: Mapping[str, Json], entry: tuple[str, float]) -> tuple[str, float]:
    """``faq`` with its response key: Rasa gives the intent and, apart from it, ``faq/price``."""
    selector = body.get("response_selector")
    chosen = selector.get(entry[0]) if isinstance(selector, Mapping) else None
    response = chosen.get("response") if isinstance(chosen, Mapping) else None
    key = response.get("intent_response_key") if isinstance(response, Mapping) else None
    return (key, entry[1]) if isinstance(key, str) and key.startswith(f"{entry[0]}/") else entry


def _entity(entry: Mapping[str, Json], length: int) -> RasaEntity:
    kind, value, start, end = (entry.get(key) for key in ("entity", "value", "start", "end"))
    if not isinstance(kind, str) or not isinstance(start, int) or not isinstance(end, int):
        raise _nonsense("an entity has no name or no place")
    if not 0 <= start < end <= length:
        raise _nonsense("an entity lies outside the text")
    return RasaEntity(kind, str(value), start, end)


def _mapping(value: Json, name: str) -> Mapping[str, Json]:
    if not isinstance(value, Mapping):
        raise _nonsense(f"{name} is not an object")
    return value


def _sequence(value: Json) -> Sequence[Json]:
    if not isinstance(value, list):
        raise _nonsense("a list is missing")
    return value


def _nonsense(what: str) -> InterpreterDown:
    return InterpreterDown(f"Rasa answered nonsense: {what}", cure="see whether the address is that of a Rasa server")
