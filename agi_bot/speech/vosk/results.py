"""libvosk's JSON answers as transcripts.  Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from agi_bot.contracts import Transcript, Word
from agi_bot.speech.vosk.calibration import Calibration
from agi_bot.speech.vosk.settings import VoskSettings
from agi_bot.speech.vosk.vocabulary import UNKNOWN, join

SHORT_MS = 1500
"""Words of no more than this, all together, are one answer: right as a whole, or not understood."""


def parse_words(answer: str) -> tuple[Word, ...]:
    """The words of a final answer; times in ms of the sound that libvosk was given."""
    return tuple(map(_word, json.loads(answer).get("result", ())))


def parse_partial(answer: str) -> str:
    """The text of a partial answer, ``[unk]`` left out."""
    return join(known(json.loads(answer).get("partial", "").split()))


def known(words: Sequence[str]) -> list[str]:
    """``words`` without ``[unk]`` and other labels of noise."""
    return [word for word in words if not _is_noise(word)]


def transcript(words: Sequence[Word], settings: VoskSettings, calibration: Calibration | None = None) -> Transcript:
    """The final transcript of an utterance of ``words``.

    Confidence is calibrated, or the mean of the kept words, weighted by their time.  Text is
    empty when the utterance is rejected (see :class:`VoskSettings`).
    """
    kept = tuple(w for w in words if not _is_noise(w.text) and w.confidence >= settings.drop_below)
    total = _duration(words)
    if not kept or not total:
        return Transcript("", final=True, confidence=0.0)
    mean = mean_confidence(kept)
    confidence = calibration.confidence(words) if calibration else mean
    # Music and babble are not what a calibration was made of: libvosk's own doubt counts, too.  The
    # calibrated one says whether all words are right; a long sentence need not be, to be understood.
    doubt = min(mean, confidence) if _duration(kept) <= SHORT_MS else mean
    if doubt < settings.reject_below or 1 - _duration(kept) / total > settings.unknown_share:
        return Transcript("", final=True, confidence=confidence)
    return Transcript(join([w.text for w in kept]), final=True, confidence=confidence, words=kept)


def mean_confidence(words: Sequence[Word]) -> float:
    """The mean of ``words`` (not empty), weighted by their time."""
    return min(1.0, sum(_weight(word) * word.confidence for word in words) / _duration(words))


def _is_noise(word: str) -> bool:
    return word == UNKNOWN or word.startswith(("<", "["))


def _weight(word: Word) -> int:
    return max(1, word.end_ms - word.start_ms)


def _duration(words: Sequence[Word]) -> int:
    return sum(map(_weight, words))


def _word(entry: dict[str, Any]) -> Word:
    return Word(
        text=str(entry["word"]),
        start_ms=round(float(entry["start"]) * 1000),
        end_ms=round(float(entry["end"]) * 1000),
        confidence=min(1.0, max(0.0, float(entry.get("conf", 1.0)))),
    )
