"""The process of a voice is killed in mid-sentence of a real call: nobody is left in silence."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from agi_bot.demo.installation import Installation
from agi_bot.speech import voices
from agi_bot.speech.voices import VoiceEntry, Voices
from agi_bot.speech.worker.pool import WorkerPool
from agi_bot.speech.worker.voice import WorkerVoice
from tests.bench.killed_voice import SENTENCE, misfortune

pytestmark = [pytest.mark.asterisk, pytest.mark.wall_clock]

SLOW = Path(__file__).with_name("slow_voice.py")
PAUSE_MS = 1200
"""More than the longest pause of an undisturbed sentence, on a busy machine."""
LONGEST_GAP_MS = 5000
"""The other voice takes over after 1.5 s, where nothing else runs; without it, the rest would be silence."""


class SlowVoice(WorkerVoice):
    whole = False

    def request(self, text: str) -> Mapping[str, Any]:
        return {"text": text}


def _slow(entry: VoiceEntry, catalogue: Voices) -> WorkerVoice:
    command = [sys.executable, "-P", str(SLOW)]
    pool = catalogue.pool("slow", lambda: WorkerPool(command, name="slow", size=catalogue.workers))
    return SlowVoice(pool, name="slow", key="slow", language=entry.language)


@pytest.fixture
def slow_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(voices._MAKERS, "onnx", _slow)  # type: ignore[arg-type]


@pytest.mark.usefixtures("slow_voice")
@pytest.mark.parametrize("workers", [1, 2])
async def test_the_call_goes_on(asterisk_installation: Installation, tmp_path: Path, workers: int) -> None:
    had = await misfortune(
        asterisk_installation, tmp_path, {"engine": "onnx", "model": "slow"}, workers=workers, heard_ms=300
    )
    assert (had.own.outcome, had.other.outcome) == ("done", "done")
    assert had.restarts >= 1
    assert had.own.gap_ms < LONGEST_GAP_MS
    assert min(had.own.speech_ms, had.other.speech_ms) > 100 * len(SENTENCE)
    if workers == 2:
        assert had.fallbacks == 0
        assert had.other.gap_ms < PAUSE_MS
    else:
        assert had.fallbacks >= 1
