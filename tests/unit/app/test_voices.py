"""Which voice a flow gets, and that a voice without its model never leaves the caller in silence."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from agi_bot.app.voices import VoiceBox
from agi_bot.config import Settings
from agi_bot.errors import SpeechError


def box(tmp_path: Path, **speaking: object) -> VoiceBox:
    return VoiceBox(Settings.model_validate({"speaking": {"cache": tmp_path / "prompts", **speaking}}))


def test_a_flow_without_a_voice_gets_the_languages_own(tmp_path: Path) -> None:
    voices = box(tmp_path)
    assert voices.find("", "zh-CN") is voices.find("calm_female", "zh-CN")
    assert voices.find("", "zh-CN") is not voices.find("", "en")


def test_an_unknown_voice_is_named_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(SpeechError) as caught:
        box(tmp_path).find("calm_femal", "zh-CN")
    assert "calm_female" in caught.value.cure


async def test_a_voice_without_its_model_is_replaced_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    catalogue = tmp_path / "voices.yml"
    catalogue.write_text("- {name: own, language: zh-CN, engine: coqui, model: nowhere}\n", encoding="utf-8")
    voices = box(tmp_path, voices=catalogue)
    with caplog.at_level(logging.WARNING):
        voice = voices.find("own", "zh-CN")
        spoken_ms = sum([frame.ms async for frame in voice.speak("您好")])
    await voices.close()
    assert spoken_ms > 200
    assert [record.__dict__["voice"] for record in caplog.records if record.message == "voice.missing"] == ["own"]


async def test_a_voice_that_dies_is_spoken_on_by_the_embedded_one(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text("{}")
    catalogue = tmp_path / "voices.yml"
    catalogue.write_text("- {name: own, language: zh-CN, engine: coqui, model: model}\n", encoding="utf-8")
    voices = box(tmp_path, voices=catalogue)
    try:
        voice = voices.find("own", "zh-CN")
        assert sum([frame.ms async for frame in voice.speak("您好")]) > 200
    finally:
        await voices.close()


def test_the_admins_own_catalogue_comes_on_top(tmp_path: Path) -> None:
    catalogue = tmp_path / "voices.yml"
    catalogue.write_text("- {name: calm_female, language: zh-CN, engine: espeak, speaker: m7}\n", encoding="utf-8")
    assert "m7" in box(tmp_path, voices=catalogue).find("", "zh-CN").name
