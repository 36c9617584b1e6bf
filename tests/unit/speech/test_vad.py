from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agi_bot.audio import LINE_RATE, Frame, resample, split
from agi_bot.errors import ModelError
from agi_bot.speech.echo import EchoGuard
from agi_bot.speech.espeak import EspeakVoice
from agi_bot.speech.signals import Signal
from agi_bot.speech.vad import (
    EnergyModel,
    Segment,
    Segmenter,
    SileroModel,
    VadBatcher,
    VadModel,
    VadSettings,
    VoiceActivity,
    find_model,
    silero_path,
)
from agi_bot.speech.vad import model as model_module

W = 32
LOUD, SOFT, OFF = 0.9, 0.4, 0.05


def segments(chances: list[float], settings: VadSettings | None = None) -> list[Segment]:
    segmenter = Segmenter(settings)
    return [segmenter.push(chance, (index + 1) * W) for index, chance in enumerate(chances)]


def test_one_loud_window_is_a_click_not_speech() -> None:
    assert not any(s.speech for s in segments([OFF, LOUD, OFF, LOUD, OFF]))


def test_speech_begins_where_the_first_loud_window_began() -> None:
    last = segments([OFF, OFF, LOUD, LOUD])[-1]
    assert (last.speech, last.from_ms, last.to_ms) == (True, 64, 128)


def test_the_middle_between_the_thresholds_keeps_speech_but_does_not_begin_it() -> None:
    assert not any(s.speech for s in segments([SOFT] * 10))
    assert all(s.speech for s in segments([LOUD] * 2 + [SOFT] * 10)[1:])


def test_speech_ends_after_the_hold_and_remembers_its_last_sound() -> None:
    found = segments([LOUD] * 5 + [OFF] * 4)
    assert [s.speech for s in found] == [False, True, True, True, True, True, True, False, False]
    assert {s.to_ms for s in found[5:]} == {160}


def levels_of(levels: list[float], chance: float = LOUD) -> list[Segment]:
    """Windows of one chance whose four parts of 8 ms have one of ``levels`` each."""
    segmenter = Segmenter()
    segmenter.push(OFF, W, [-70.0] * 4)
    parts = [levels[start : start + 4] for start in range(0, len(levels), 4)]
    return [segmenter.push(chance, (index + 2) * W, part) for index, part in enumerate(parts)]


def test_the_level_tells_the_end_before_the_network_does() -> None:
    found = levels_of([-20.0] * 10 + [-65.0] * 14)
    assert found[2].to_ms == found[-1].to_ms == 32 + 10 * 8
    assert [s.speech for s in found] == [False, True, True, True, True, False]


def test_what_the_network_still_calls_speech_is_no_new_stretch() -> None:
    found = levels_of([-20.0] * 8 + [-65.0] * 40)
    assert not any(s.speech for s in found[5:])
    assert found[-1].from_ms == found[1].from_ms


def test_a_soft_word_after_a_loud_one_is_still_speech() -> None:
    found = levels_of([-20.0] * 8 + [-40.0] * 8)
    assert found[-1].to_ms == 32 + 16 * 8


def test_on_a_noisy_line_the_end_is_where_only_noise_is_left() -> None:
    segmenter = Segmenter()
    for index in range(30):
        segmenter.push(OFF, (index + 1) * W, [-42.0] * 4)
    for index in range(4):
        segmenter.push(LOUD, (index + 31) * W, [-18.0] * 4 if index < 2 else [-41.0] * 4)
    assert segmenter.segment.to_ms == 32 * W


def test_a_new_stretch_has_a_new_beginning() -> None:
    found = segments([LOUD] * 3 + [OFF] * 4 + [LOUD] * 3)
    assert (found[2].from_ms, found[-1].from_ms) == (0, 224)


def after_speech(*levels: float, chance: float = OFF) -> list[Segment]:
    """Windows of ``levels`` that follow 320 ms of speech at -18 dB and 160 ms of a quiet line at -60 dB."""
    segmenter = Segmenter()
    shape = [(OFF, -60.0)] * 10 + [(LOUD, -18.0)] * 10 + [(OFF, -60.0)] * 5 + [(chance, level) for level in levels]
    found = [segmenter.push(chance, (index + 1) * W, [level] * 4) for index, (chance, level) in enumerate(shape)]
    assert not any(segment.rising for segment in found[:25])
    return found[25:]


def test_a_voice_that_goes_on_is_seen_rising_before_the_network_knows_it() -> None:
    found = after_speech(-30.0, -24.0, -20.0)
    assert [segment.rising for segment in found] == [True] * 3
    assert not any(segment.speech for segment in found)


def test_soft_sound_and_the_memory_of_the_network_are_no_rise() -> None:
    assert not any(segment.rising for segment in after_speech(-45.0, -50.0, chance=LOUD))


def test_noise_that_is_as_loud_as_before_the_speech_is_no_rise() -> None:
    segmenter = Segmenter()
    shape = [(OFF, -28.0)] * 40 + [(LOUD, -18.0)] * 10 + [(OFF, -28.0)] * 10
    found = [segmenter.push(chance, (index + 1) * W, [level] * 4) for index, (chance, level) in enumerate(shape)]
    assert not any(segment.rising for segment in found[52:])


def test_a_click_of_a_few_milliseconds_is_no_rise() -> None:
    segmenter = Segmenter()
    for index in range(20):
        segmenter.push(LOUD if index < 10 else OFF, (index + 1) * W, [-18.0 if index < 10 else -60.0] * 4)
    assert not segmenter.push(OFF, 21 * W, [-60.0, -15.0, -60.0, -60.0]).rising


def test_the_network_is_certain_of_a_voice_only_near_one() -> None:
    assert Segment(chance=0.95).certain
    assert not Segment(chance=0.7).certain


@given(st.lists(st.floats(0, 1), max_size=200))
def test_times_never_run_backwards(chances: list[float]) -> None:
    before = Segment()
    for index, now in enumerate(segments(chances)):
        assert now.to_ms >= before.to_ms
        assert now.from_ms <= now.to_ms <= (index + 1) * W
        assert now.speech or not before.speech or chances[index] < VadSettings().offset
        before = now


class Counting:
    """A model that says what the window's first sample says, and keeps count in its state."""

    name = "counting"

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def fresh(self) -> np.ndarray:
        return np.zeros(1, dtype=np.float32)

    def forget(self, state: np.ndarray) -> np.ndarray:
        return state

    def probabilities(self, windows: np.ndarray, states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.sizes.append(len(windows))
        return np.abs(windows[:, 32]) + states[:, 0], states + 0.001


def tone(value: int, count: int) -> list[Frame]:
    return [Frame(np.full(160, value, dtype="<i2").tobytes()) for _ in range(count)]


async def test_windows_of_many_calls_share_an_inference() -> None:
    model = Counting()
    batcher = VadBatcher(model)
    streams = [batcher.stream() for _ in range(20)]
    for frame in tone(100, 8):
        await asyncio.gather(*(stream.hear(frame) for stream in streams))
    assert model.sizes == [20] * 5
    assert (batcher.inferences, batcher.windows) == (5, 100)


async def test_each_call_keeps_its_own_state() -> None:
    batcher = VadBatcher(Counting())
    first, second = batcher.stream(), batcher.stream()
    for frame in tone(0, 16):
        await first.hear(frame)
    await second.hear(tone(0, 2)[0])
    await second.hear(tone(0, 2)[1])
    assert first.segmenter.segment.chance == pytest.approx(0.009)
    assert second.segmenter.segment.chance == 0.0


async def test_frames_of_any_length_give_the_same_windows() -> None:
    sound = np.random.default_rng(1).integers(-9000, 9000, 8000).astype("<i2").tobytes()
    found = []
    for size in (160, 512, 2, 4000, 16_000):
        stream = VadBatcher(Counting()).stream()
        for start in range(0, len(sound), size):
            segment = await stream.hear(Frame(sound[start : start + size]))
        found.append(segment)
    assert len(set(found)) == 1


async def test_a_failing_model_fails_every_call_that_waits() -> None:
    class Broken(Counting):
        def probabilities(self, windows: np.ndarray, states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            raise RuntimeError("no")

    batcher = VadBatcher(Broken())
    waiting = [batcher.stream().hear(Frame(bytes(512))) for _ in range(3)]
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(answer) for answer in answers] == [RuntimeError] * 3


async def test_a_call_that_ends_while_it_waits_disturbs_nobody() -> None:
    batcher = VadBatcher(Counting())
    going, staying = batcher.stream(), batcher.stream()
    gone = asyncio.create_task(going.hear(Frame(bytes(512))))
    stays = asyncio.create_task(staying.hear(Frame(bytes(512))))
    await asyncio.sleep(0)
    gone.cancel()
    going.close()
    going.close()
    assert (await stays).chance == 0.0
    staying.close()
    assert batcher.open == 0


@pytest.fixture(params=["silero", "energy"])
def model(request: pytest.FixtureRequest) -> VadModel:
    if request.param == "energy":
        return EnergyModel()
    path = silero_path()
    assert path is not None, "pip install --no-deps silero-vad"
    return SileroModel(path)


async def voiced(model: VadModel, samples: np.ndarray, rate: int = LINE_RATE) -> tuple[float, Segment]:
    """Share of frames with speech, and the last segment."""
    stream = VadBatcher(model).stream()
    found = [await stream.hear(frame) for frame in split(Frame(samples.astype("<i2").tobytes(), rate))]
    return float(np.mean([segment.speech for segment in found])), found[-1]


async def sentence() -> np.ndarray:
    voice = EspeakVoice("zh-CN")
    sound = b"".join([frame.pcm async for frame in voice.speak("我那天没空")])
    await voice.close()
    return np.frombuffer(sound, dtype="<i2")


def noise(ms: int, level: float) -> np.ndarray:
    return np.random.default_rng(3).normal(0, level, LINE_RATE * ms // 1000)


async def test_speech_is_found_with_its_times(model: VadModel) -> None:
    speech = await sentence()
    sound = np.concatenate([noise(1000, 8), speech, noise(1000, 8)])
    share, last = await voiced(model, sound)
    end = 1000 + len(speech) / 8
    assert 0.2 < share < 0.8
    assert abs(last.from_ms - 1000) < 150
    assert end - 250 < last.to_ms < end + 100


async def test_wide_sound_is_understood_too(model: VadModel) -> None:
    speech = Frame((await sentence()).tobytes())
    share, _ = await voiced(model, resample(speech, 16000).samples, 16000)
    assert share > 0.5


async def test_silence_and_line_noise_are_no_speech(model: VadModel) -> None:
    assert (await voiced(model, np.zeros(16_000)))[0] == 0
    assert (await voiced(model, noise(3000, 30)))[0] == 0


async def test_the_network_takes_neither_noise_nor_tones_for_speech() -> None:
    path = silero_path()
    assert path is not None
    tone = 8000 * np.sin(2 * np.pi * 450 * np.arange(24_000) / LINE_RATE)
    assert (await voiced(SileroModel(path), noise(3000, 3000)))[0] < 0.05
    assert (await voiced(SileroModel(path), tone))[0] < 0.05


async def test_the_bots_own_echo_is_no_speech_but_the_caller_is() -> None:
    model, finding = find_model()
    assert finding == ""
    speech = np.tile(await sentence(), 3).astype(np.float64)
    stream = VadBatcher(model).stream()
    heard = 0
    delay = 1200
    echo = np.concatenate([np.zeros(delay), speech * 0.2])[: len(speech)]
    for start in range(0, len(speech) - 160, 160):
        stream.spoke(Frame(speech[start : start + 160].astype("<i2").tobytes()))
        segment = await stream.hear(Frame(echo[start : start + 160].astype("<i2").tobytes()))
        heard += segment.speech
    assert heard == 0
    caller = [await stream.hear(frame) for frame in split(Frame((await sentence()).tobytes()))]
    assert any(segment.speech for segment in caller)


async def test_a_tone_is_no_speech_even_for_a_detector_that_hears_only_levels_and_is_told() -> None:
    stream = VadBatcher(EnergyModel()).stream()
    sound = 8000 * np.sin(2 * np.pi * 1100 * np.arange(16_000) / LINE_RATE)
    found = [await stream.hear(frame) for frame in split(Frame(sound.astype("<i2").tobytes()))]
    assert not any(segment.speech for segment in found)
    assert stream.signals() == [Signal.FAX]
    assert stream.signals() == []


def test_a_missing_package_falls_back_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_module, "silero_path", lambda: None)
    model, finding = find_model()
    assert model.name == "energy"
    assert "pip install --no-deps silero-vad" in finding


def test_a_broken_model_file_falls_back_and_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "silero_vad.onnx"
    path.write_bytes(b"no onnx")
    monkeypatch.setattr(model_module, "silero_path", lambda: path)
    model, finding = find_model()
    assert model.name == "energy"
    assert str(path) in finding
    with pytest.raises(ModelError):
        SileroModel(path)


async def test_a_long_silence_is_forgotten_and_a_call_of_speech_is_not() -> None:
    class Forgetting(Counting):
        forgotten = 0

        def forget(self, state: np.ndarray) -> np.ndarray:
            self.forgotten += 1
            return state * 0

    model = Forgetting()
    stream = VadBatcher(model).stream()
    for frame in tone(0, 200):
        await stream.hear(frame)
    assert model.forgotten == 3, "about once a second"
    for frame in tone(32000, 200):
        await stream.hear(frame)
    assert model.forgotten == 3


async def test_the_network_is_not_asked_about_a_silent_line_but_about_what_may_be_an_echo() -> None:
    batcher = VadBatcher(Counting())
    stream = batcher.stream()
    for frame in tone(0, 200):
        await stream.hear(frame)
    assert 8 <= batcher.windows <= 12
    before = batcher.windows
    for frame in tone(0, 32):
        stream.spoke(tone(8000, 1)[0])
        await stream.hear(frame)
    assert batcher.windows - before == 20, "nobody knows yet whether the bot comes back"
    for frame in tone(8000, 32):
        await stream.hear(frame)
    assert batcher.windows - before == 40


class Scripted(EchoGuard):
    """A guard that says what it is told."""

    def __init__(self, verdicts: str) -> None:
        super().__init__()
        self._verdicts = iter(verdicts)

    def incoming(self, frame: Frame) -> bool:
        self.clean = frame
        return next(self._verdicts) == "E"


@pytest.mark.parametrize(
    ("verdicts", "heard"),
    [("EEEE.EEEEEEEEEEE", False), ("EEE.EEE.EEE.EEEE", False), ("EEEEEEEEEEEEEEEE", False), ("EEEEE......EEEEE", True)],
)
async def test_one_frame_of_an_echo_that_is_not_known_is_no_voice(verdicts: str, heard: bool) -> None:
    batcher = VadBatcher(Counting())
    stream = VoiceActivity(batcher, Scripted(verdicts))
    found = [(await stream.hear(frame)).speech for frame in tone(30_000, len(verdicts))]
    assert any(found) is heard


class Known(Scripted):
    """A guard that has found the echo."""

    @property
    def found(self) -> bool:
        return True


async def test_soft_pieces_of_a_voice_are_heard_beside_an_echo() -> None:
    stream = VoiceActivity(VadBatcher(Counting()), Known("EEEE......EEEE"))
    withheld = []
    for frame in tone(30_000, 14):
        await stream.hear(frame)
        withheld.append((stream.echoed, stream.segmenter.segment.speech))
    assert {echoed for echoed, _ in withheld[:4]} == {True}
    assert not any(echoed for echoed, speech in withheld[4:] if speech)
    assert any(speech for _, speech in withheld[10:])
