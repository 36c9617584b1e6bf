"""The interpreter inside our own process: no server, under 1 ms a sentence."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from agi_bot.contracts import Context, Entity, Intent
from agi_bot.nlu import modelfile
from agi_bot.nlu.calibration import best
from agi_bot.nlu.data import NluData, data_files
from agi_bot.nlu.finder import EntityFinder
from agi_bot.nlu.normal import tidy
from agi_bot.nlu.training import BACKGROUND, Model, train

log = logging.getLogger(__name__)

PRIOR = 0.5
"""How much more likely the step's own intents are, in log-odds.  Measured: docs/nlu.md."""

LONGEST = 400
"""Characters of one utterance that are looked at; a caller's turn has 5 to 60."""

RANKED = 5

TELLING = 1 / 3
"""Share of an utterance that a value must have to count where the utterance was not understood."""


class EmbeddedInterpreter:
    """Promise ``Interpreter`` over a trained :class:`~agi_bot.nlu.training.Model`."""

    def __init__(self, model: Model, data: NluData) -> None:
        self.data = data
        self._model = model
        self._finder = EntityFinder(data, model.language)

    @property
    def name(self) -> str:
        return f"embedded ({self._model.language}, {len(self.data.intents)} intents)"

    @property
    def threshold(self) -> float:
        """Confidence below which an answer is rejected."""
        return self._model.calibration.threshold

    async def interpret(self, text: str, context: Context) -> Intent:
        """Intent and entities of ``text``; never waits, never fails."""
        return self.understand(text, context)

    def understand(self, text: str, context: Context) -> Intent:
        """Same as :meth:`interpret`, without awaiting."""
        text = text[:LONGEST]
        if not tidy(text).text:
            return Intent("", engine="embedded")
        entities = self._finder.find(text, context)
        name, confidence, ranking = self.classify(text, context.expected)
        if confidence >= self.threshold:
            return Intent(name, confidence, entities, ranking, "embedded")
        return Intent("", confidence, _telling(entities, text), ranking, "embedded")

    def classify(self, text: str, expected: Sequence[str] = ()) -> tuple[str, float, tuple[tuple[str, float], ...]]:
        """Best intent, whether accepted or not, its confidence, and the ranking of the best five."""
        odds = self._model.calibration.odds(self._model.scores(text)) + self._prior(expected)
        label = int(best(odds[None], self._model.calibration.background)[0])
        confidence = float(self._model.calibration.confidence(odds[None])[0])
        return self._model.labels[label], confidence, self._ranking(odds)

    def phrases(self, intents: Iterable[str], language: str = "") -> tuple[str, ...]:
        """What callers say for ``intents``: hints for a recogniser.  Nothing for another ``language``."""
        if language and language.split("-")[0] != self._model.language.split("-")[0]:
            return ()
        return self.data.phrases(intents)

    def _prior(self, expected: Sequence[str]) -> npt.NDArray[np.float64]:
        groups = {name.split("/")[0] for name in expected if "/" not in name}
        wanted = [label in expected or label.split("/")[0] in groups for label in self._model.labels]
        return PRIOR * np.array(wanted, dtype=np.float64)

    def _ranking(self, odds: npt.NDArray[np.float64]) -> tuple[tuple[str, float], ...]:
        shares = np.exp(odds - odds.max())
        shares /= shares.sum()
        order = np.argsort(-odds)[: RANKED + 1]
        named = [(self._model.labels[i], round(float(shares[i]), 4)) for i in order]
        return tuple((label, share) for label, share in named if label != BACKGROUND)[:RANKED]


def _telling(entities: Sequence[Entity], text: str) -> tuple[Entity, ...]:
    """Of speech that was not understood, only values that are a good part of it ("today" in small talk is none)."""
    return tuple(entity for entity in entities if len(entity.text) >= TELLING * len(text))


def load_embedded(paths: Sequence[Path], language: str, cache: Path | None = None) -> EmbeddedInterpreter:
    """Read the data in ``paths``, take the model from folder ``cache``, or train it and keep it there.

    A path is a nlu.yml, a list of background speech (``.txt``) or a folder that holds
    ``nlu.<language>.yml`` and ``background.<language>.txt``.  Raises
    :class:`~agi_bot.errors.NluError` for wrong data; a cache that cannot be read or written
    only costs the time to train.
    """
    files = [file for path in paths for file in (data_files(path, language) if path.is_dir() else [path])]
    data = NluData.load(files)
    if cache is None:
        return EmbeddedInterpreter(train(data, language), data)
    path = cache / f"embedded-{language}-{modelfile.fingerprint(data, language)}.npz"
    return EmbeddedInterpreter(modelfile.load(path) or _trained(data, language, path), data)


def _trained(data: NluData, language: str, path: Path) -> Model:
    model = train(data, language)
    try:
        modelfile.save(model, path)
    except OSError as error:
        log.warning("the trained model cannot be kept in %s: %s", path.parent, error.strerror)
    return model
