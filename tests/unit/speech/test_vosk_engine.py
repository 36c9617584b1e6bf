"""libvosk's own end of an utterance (its rule5 after 20 s) in the very piece that we end it with."""

from __future__ import annotations

from typing import Any

import pytest

from agi_bot.speech.vosk import engine


class Kaldi:
    """As libvosk does it: after its own end the words are in ``Result`` and ``FinalResult`` is empty."""

    def __init__(self, *_: object) -> None:
        self.ended = False
        self.resets = 0

    def SetWords(self, _: bool) -> None:
        pass

    def AcceptWaveform(self, pcm: bytes) -> int:
        self.ended = pcm.startswith(b"end")
        return int(self.ended)

    def Result(self) -> str:
        return "words" if self.ended else "{}"

    def FinalResult(self) -> str:
        return "{}" if self.ended else "words"

    def Reset(self) -> None:
        self.resets += 1


@pytest.mark.parametrize("last", [b"end.", b"more", b""])
def test_no_word_is_lost_whoever_ends_the_utterance(monkeypatch: pytest.MonkeyPatch, last: bytes) -> None:
    monkeypatch.setattr("vosk.KaldiRecognizer", Kaldi)
    decoder = engine.Decoder(object(), 8000, "")
    decoder._take(b"more")
    assert decoder.finish(last) == "words"
    kaldi: Any = decoder._kaldi
    assert kaldi.resets == 1
    assert decoder.finish(b"") == "{}"
