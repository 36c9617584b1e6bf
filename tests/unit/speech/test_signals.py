from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agi_bot.audio import Frame, split
from agi_bot.speech.espeak import EspeakVoice
from agi_bot.speech.signals import LineSignals, Signal, SignalSettings, ToneDetector
from agi_bot.speech.tones import goertzel

RATE = 8000
rng = np.random.default_rng(5)


def tone(hz: float, ms: int, level: float = 8000.0) -> np.ndarray:
    return level * np.sin(2 * np.pi * hz * np.arange(RATE * ms // 1000) / RATE)


def quiet(ms: int) -> np.ndarray:
    return rng.normal(0, 4, RATE * ms // 1000)


def found(samples: np.ndarray, settings: SignalSettings | None = None) -> list[Signal]:
    signals = LineSignals(settings)
    sound = np.clip(samples, -32768, 32767).astype("<i2").tobytes()
    return [signal for frame in split(Frame(sound)) for signal in signals.push(frame)]


def speech(text: str, language: str) -> np.ndarray:
    import asyncio

    async def speak() -> bytes:
        voice = EspeakVoice(language)
        sound = b"".join([frame.pcm async for frame in voice.speak(text)])
        await voice.close()
        return sound

    return np.frombuffer(asyncio.run(speak()), dtype="<i2").astype(float)


@pytest.mark.parametrize("hz", [425, 450, 1100, 2100])
@pytest.mark.parametrize("other", [300, 600, 1000, 1200, 3000])
def test_goertzel_knows_its_own_frequency(hz: float, other: float) -> None:
    assert goertzel(tone(hz, 20), RATE, hz) > 0.9
    assert goertzel(tone(other, 20), RATE, hz) < 0.35


def test_goertzel_of_silence_is_nothing() -> None:
    assert goertzel(np.zeros(160), RATE, 450) == 0.0
    assert goertzel(np.zeros(0), RATE, 450) == 0.0


@pytest.mark.parametrize(
    ("hz", "signal"), [(1100, Signal.FAX), (2100, Signal.FAX), (1650, Signal.MODEM), (2225, Signal.MODEM)]
)
def test_a_machine_that_answers_is_known(hz: float, signal: Signal) -> None:
    assert found(np.concatenate([quiet(500), tone(hz, 600), quiet(300)])) == [signal]


@pytest.mark.parametrize("snr_db", [30, 15])
def test_a_fax_is_known_in_noise(snr_db: float) -> None:
    sound = tone(1100, 600)
    sound = sound + rng.normal(0, np.sqrt(np.mean(sound**2)) * 10 ** (-snr_db / 20), len(sound))
    assert found(sound) == [Signal.FAX]


def test_a_short_beep_is_no_fax() -> None:
    assert found(np.concatenate([tone(1100, 200), quiet(1000)])) == []


def test_ringback_is_known_after_its_pause() -> None:
    cycle = np.concatenate([tone(450, 1000), quiet(4000)])
    assert found(np.concatenate([quiet(300), cycle, cycle])) == [Signal.RINGBACK]


def test_busy_is_known_after_two_bursts() -> None:
    cycle = np.concatenate([tone(450, 350), quiet(350)])
    assert found(np.tile(cycle, 5)) == [Signal.BUSY]


def test_a_dial_tone_goes_on_and_on() -> None:
    assert found(tone(450, 3500)) == [Signal.DIAL_TONE]


def test_a_tone_is_told_frame_by_frame_for_the_voice_detector() -> None:
    detector = ToneDetector()
    detector.push(Frame(tone(450, 20).astype("<i2").tobytes()))
    assert detector.tone
    detector.push(Frame(quiet(20).astype("<i2").tobytes()))
    assert not detector.tone


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("zh-CN", "您好我那天没空能改到后天下午三点吗我的电话是一三八零零一三八零零零谢谢您再见"),
        ("en", "hello i have no time that day can it be the day after tomorrow at three in the afternoon please"),
    ],
)
def test_speech_is_no_signal(language: str, text: str) -> None:
    assert found(np.tile(speech(text, language), 3)) == []


def test_noise_and_silence_are_no_signal() -> None:
    assert found(rng.normal(0, 2000, 8 * RATE)) == []
    assert found(quiet(9000)) == []


def test_music_goes_on_with_steady_notes() -> None:
    notes = [262, 330, 392, 523, 440, 349, 294, 392]
    bars = []
    for first, second in zip(notes, notes[2:] + notes[:2], strict=True):
        chord = sum(tone(hz * k, 400, 3000 / k) for hz in (first, second) for k in (1, 2, 3))
        bars.append(chord * np.exp(-np.linspace(0, 1.2, 3200)))
    assert found(np.tile(np.concatenate(bars), 3)) == [Signal.MUSIC]


def test_overdriven_sound_is_told() -> None:
    assert found(np.clip(rng.normal(0, 30_000, 3 * RATE), -32768, 32767)) == [Signal.CLIPPED]


def test_one_loud_crack_is_not_overdriven() -> None:
    assert found(np.concatenate([quiet(500), np.full(40, 32767.0), quiet(2000)])) == []


def test_a_caller_who_is_not_heard_at_all_is_told() -> None:
    assert found(np.zeros(9 * RATE)) == []
    assert found(np.zeros(11 * RATE)) == [Signal.ONE_WAY]
    assert found(np.full(11 * RATE, 8.0)) == [Signal.ONE_WAY], "a line stuck at one value"


def test_silence_suppression_after_speech_takes_longer_to_be_told() -> None:
    assert found(np.concatenate([quiet(1000), np.zeros(15 * RATE)])) == []
    assert found(np.concatenate([quiet(1000), np.zeros(21 * RATE)])) == [Signal.ONE_WAY]


@given(st.binary(max_size=1200).filter(lambda data: len(data) % 2 == 0), st.sampled_from([8000, 16000, 48000]))
def test_any_frame_is_judged(data: bytes, rate: int) -> None:
    assert LineSignals().push(Frame(data, rate)) == []
