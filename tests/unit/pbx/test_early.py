"""The recording before the answer: started when there is a channel, stopped by the answer, never in the way."""

from __future__ import annotations

from typing import Any

import pytest

from agi_bot.errors import PbxDown
from agi_bot.pbx.asterisk import early
from agi_bot.pbx.asterisk.early import EarlyRecording


class Ami:
    """Answers what it is told to."""

    def __init__(self, *answers: dict[str, str] | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, dict[str, Any]]] = []

    async def action(self, name: str, headers: dict[str, Any]) -> list[dict[str, str]]:
        self.asked.append((name, headers))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return [answer]


NO_CHANNEL = {"response": "Error", "message": "No such channel"}
MADE = {"response": "Success", "mixmonitorid": "0x7f"}


async def test_it_begins_as_soon_as_there_is_a_channel_and_ends_with_the_answer() -> None:
    ami = Ami(NO_CHANNEL, MADE)
    recording = EarlyRecording(ami, "id-1", "/tmp/id-1.wav")  # type: ignore[arg-type]
    await recording.start()
    await recording.stop()
    assert [name for name, _ in ami.asked] == ["MixMonitor", "MixMonitor", "StopMixMonitor"]
    assert ami.asked[0][1] == {"Channel": "id-1", "File": "/tmp/id-1.wav", "options": "i(BOT_EARLY_ID)"}
    assert ami.asked[2][1] == {"Channel": "id-1", "MixMonitorID": "0x7f"}


@pytest.mark.parametrize("answer", [NO_CHANNEL, PbxDown("the link is lost")])
async def test_without_a_recording_the_call_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, answer: dict[str, str] | Exception
) -> None:
    monkeypatch.setattr(early, "PAUSE_S", 0.001)
    recording = EarlyRecording(Ami(answer), "id-1", "/tmp/id-1.wav")  # type: ignore[arg-type]
    await recording.start()
    await recording.stop()
    assert "early_media.not_recorded" in caplog.text
