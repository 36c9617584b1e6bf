"""The one place that touches libvosk.  Everything here blocks: call it in a thread."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import vosk

from agi_bot.errors import ModelError, SpeechError

ERRORS_ONLY = -2
"""libvosk's own log goes to stderr without a call's id; only its errors are let through."""

_PIECE = 3200
"""Bytes that are decoded at a time where a whole utterance is there."""

NOTHING = "[]"
"""A grammar that no one may pass to libvosk: it ends the process."""


def load(path: Path) -> Any:
    """The model in ``path``, which must have been inspected before.  Raises ModelError."""
    vosk.SetLogLevel(ERRORS_ONLY)
    try:
        return vosk.Model(str(path))
    except Exception as error:
        raise ModelError(
            f"the speech model {path} cannot be loaded: {error}",
            cure="fetch it again with: agi-bot models pull NAME --force",
        ) from error


def knows(model: Any, word: str) -> bool:
    """True when ``word`` is in the model's vocabulary."""
    return bool(model.vosk_model_find_word(word) >= 0)


class Decoder:
    """One caller's recogniser; safe to call from any thread, one call at a time.

    ``rate`` is the rate of the sound that is fed, Hz.  ``grammar`` is a JSON list of phrases
    or empty for the model's own language model.
    """

    def __init__(self, model: Any, rate: int, grammar: str) -> None:
        if grammar == NOTHING:
            raise ValueError("an empty grammar ends the process")
        self._lock = threading.Lock()
        self._model = model
        self._rate = rate
        self._grammar = grammar
        self._kaldi = self._make()
        self._used = False
        self._fed = 0
        self.origin_ms = 0.0
        """Sound that was fed before libvosk's present count of time began, ms."""

    def _make(self) -> Any:
        arguments = (self._model, self._rate) + ((self._grammar,) if self._grammar else ())
        try:
            kaldi = vosk.KaldiRecognizer(*arguments)
        except Exception as error:
            raise SpeechError(f"no recogniser could be made: {error}") from error
        kaldi.SetWords(True)
        return kaldi

    def accept(self, pcm: bytes) -> tuple[str, str]:
        """Feed samples; a result when libvosk itself ended a part of the utterance (else ""), and the partial."""
        with self._lock:
            ended = self._take(pcm)
            part = self._kaldi.Result() if ended else ""
            return part, self._kaldi.PartialResult()

    def finish(self, pcm: bytes) -> str:
        """Feed the last samples and end the utterance; libvosk's last result."""
        with self._lock:
            if pcm and self._take(pcm):
                # libvosk ended the utterance itself just now: its final result would be empty.
                result = self._kaldi.Result()
            else:
                # An untouched decoder has nothing to finish, and Kaldi complains about it.
                result = self._kaldi.FinalResult() if self._used else "{}"
            self._kaldi.Reset()
            self._used = False
            return str(result)

    def whole(self, pcm: bytes) -> str:
        """The result of one utterance, fed at once to a decoder that is not used for anything else."""
        with self._lock:
            parts = [self._kaldi.Result() for piece in _pieces(pcm) if self._take(piece)]
            return _joined([*parts, self._kaldi.FinalResult()])

    @property
    def fed_ms(self) -> float:
        """Length of all sound so far, ms."""
        return self._fed / 2 * 1000 / self._rate

    def _take(self, pcm: bytes) -> bool:
        self._used = True
        self._fed += len(pcm)
        return bool(self._kaldi.AcceptWaveform(pcm))

    def expect(self, grammar: str) -> None:
        """Use ``grammar`` from now on.  Only between utterances."""
        with self._lock:
            if grammar in (self._grammar, NOTHING):
                return
            self._grammar = grammar
            if not grammar:
                self._kaldi = self._make()
                self.origin_ms = self._fed / 2 * 1000 / self._rate
                return
            # SetGrammar while decoding ends the process; NOTHING never gets here.
            self._kaldi.Reset()
            self._used = False
            self._kaldi.SetGrammar(grammar)

    def close(self) -> None:
        """Free it; one that works, or hangs, is freed when it is let go of."""
        if self._lock.acquire(blocking=False):
            try:
                self._kaldi = None
            finally:
                self._lock.release()


def _pieces(pcm: bytes) -> list[bytes]:
    return [pcm[start : start + _PIECE] for start in range(0, len(pcm), _PIECE)]


def _joined(answers: list[str]) -> str:
    """One answer with the words of all ``answers``."""
    return json.dumps({"result": [word for answer in answers for word in json.loads(answer).get("result", [])]})
