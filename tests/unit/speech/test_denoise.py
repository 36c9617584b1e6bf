"""Noise that is taken out of what voice activity looks at."""

from __future__ import annotations

import asyncio

import numpy as np
import numpy.typing as npt
import pytest

from agi_bot.audio import LINE_RATE, Frame
from agi_bot.speech.espeak import EspeakVoice
from agi_bot.speech.vad import VadBatcher, find_model
from agi_bot.speech.vad.activity import VoiceActivity
from agi_bot.speech.vad.denoise import Denoiser

SIZE = 256


def noise(level_db: float, windows: int, seed: int = 3) -> npt.NDArray[np.float32]:
    samples = np.random.default_rng(seed).normal(0, 10 ** (level_db / 20), windows * SIZE)
    return samples.astype(np.float32).reshape(windows, SIZE)


def db(window: npt.NDArray[np.float32]) -> float:
    return float(10 * np.log10(np.mean(np.square(window, dtype=np.float64))))


def learnt(level_db: float) -> Denoiser:
    denoiser = Denoiser()
    for window in noise(level_db, 40):
        denoiser.clean(window, learn=True)
    return denoiser


def test_steady_noise_becomes_softer() -> None:
    denoiser = learnt(-36)
    before, after = zip(*[(db(each), db(denoiser.clean(each, learn=True))) for each in noise(-36, 40, 4)], strict=True)
    assert np.mean(before) - np.mean(after) > 4


def test_a_voice_above_the_noise_stays_as_loud() -> None:
    denoiser = learnt(-40)
    for voice in noise(-20, 10, 5):
        assert db(denoiser.clean(voice, learn=False)) == pytest.approx(db(voice), abs=0.5)


def test_a_quiet_line_is_left_as_it_is() -> None:
    denoiser = learnt(-62)
    loud = noise(-20, 1)[0]
    assert denoiser.clean(loud, learn=False) is loud


def test_nothing_is_learnt_of_a_voice() -> None:
    denoiser = learnt(-62)
    for window in noise(-20, 40):
        denoiser.clean(window, learn=False)
    loud = noise(-20, 1, 6)[0]
    assert denoiser.clean(loud, learn=False) is loud


def test_a_call_that_begins_with_a_voice_does_not_take_it_for_noise() -> None:
    denoiser = Denoiser()
    for voice in noise(-20, 3, 7):
        assert db(denoiser.clean(voice, learn=True)) == pytest.approx(db(voice), abs=3)


def test_digital_silence_is_no_trouble() -> None:
    denoiser = Denoiser()
    still = np.zeros(SIZE, np.float32)
    assert denoiser.clean(still, learn=True) is still
    assert np.isfinite(learnt(-36).clean(still, learn=True)).all()


async def begins_after(text: str, variant: str) -> int:
    """ms until the voice is noticed in white noise 10 dB below it."""
    voice = EspeakVoice("zh-CN", variant=variant, speed=0.9)
    speech = np.frombuffer(b"".join([frame.pcm async for frame in voice.speak(text)]), "<i2").astype(np.float64)
    await voice.close()
    speech = speech[np.flatnonzero(np.abs(speech) > 100)[0] :]
    speech *= 1600 / np.sqrt(np.mean(speech**2))
    sound = np.concatenate([np.zeros(2 * LINE_RATE), speech])
    sound += np.random.default_rng(1).normal(0, 1600 * 10 ** (-10 / 20), len(sound))
    pcm = np.clip(np.rint(sound), -32768, 32767).astype("<i2")
    activity = VoiceActivity(VadBatcher(find_model()[0]))
    for at in range(0, len(pcm), 160):
        segment = await activity.hear(Frame(pcm[at : at + 160].tobytes()))
        if segment.speech:
            return (at + 160) * 1000 // LINE_RATE - 2000
    return 10_000


SOFT = [("我没空", "m1"), ("我没空", "m3"), ("你是谁", "m3"), ("我要改时间", "m3")]


@pytest.mark.parametrize(("text", "variant"), SOFT)
def test_a_soft_beginning_is_noticed_in_noise(text: str, variant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    noticed = asyncio.run(begins_after(text, variant))
    monkeypatch.setattr(Denoiser, "clean", lambda self, window, *, learn: window)
    assert noticed <= 200
    assert noticed + 100 < asyncio.run(begins_after(text, variant)), "without it"
