"""Coqui voices: what can be tried on every machine, without torch."""

import asyncio
import importlib.util
import json
import os
import shutil
import signal
import sys
from contextlib import aclosing
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from agi_bot.audio import Frame
from agi_bot.errors import ModelError, SpeechError
from agi_bot.shipped import shipped
from agi_bot.speech.coqui import guard
from agi_bot.speech.coqui.export import export
from agi_bot.speech.coqui.folder import look
from agi_bot.speech.coqui.letters import sayable_by_coqui, spelled
from agi_bot.speech.coqui.onnx import OnnxVoice
from agi_bot.speech.coqui.signs import Signs
from agi_bot.speech.coqui.voice import CoquiVoice
from agi_bot.speech.line import Leveller, active_level, to_wave
from agi_bot.speech.worker.voice import Stream, WorkerVoice

FIXTURE = shipped("models", "coqui-fixture", "onnx")
HAS_COQUI = importlib.util.find_spec("TTS") is not None


def model(folder: Path, config: object = None, checkpoints: tuple[str, ...] = ("model.pth",)) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    text = config if isinstance(config, str) else json.dumps(config or {"model": "vits", "phoneme_language": "zh-cn"})
    (folder / "config.json").write_text(text)
    for name in checkpoints:
        (folder / name).write_bytes(b"weights of " + name.encode())
    return folder


async def spoken(voice: WorkerVoice, text: str) -> Frame:
    return Frame(b"".join([frame.pcm async for frame in voice.speak(text)]))


# --- the model folder ---


def test_a_folder_is_looked_at(tmp_path: Path) -> None:
    found = look(model(tmp_path))
    assert (found.architecture, found.language, found.checkpoint.name) == ("vits", "zh", "model.pth")
    assert len(found.fingerprint) == 16


def test_other_weights_are_another_model(tmp_path: Path) -> None:
    first = look(model(tmp_path)).fingerprint
    (tmp_path / "model.pth").write_bytes(b"other")
    assert look(tmp_path).fingerprint != first


def test_speaker_files_are_no_checkpoints_and_a_known_name_wins(tmp_path: Path) -> None:
    found = look(model(tmp_path, checkpoints=("speakers.pth", "checkpoint_10.pth", "best_model.pth")))
    assert found.checkpoint.name == "best_model.pth"


@pytest.mark.parametrize(
    ("config", "checkpoints", "message"),
    [
        ("{", ("model.pth",), r"config\.json cannot be read"),
        ("[]", ("model.pth",), "names no model architecture"),
        ({"x": 1}, ("model.pth",), "names no model architecture"),
        (None, (), "one checkpoint.*found: none"),
        (None, ("a.pth", "b.pth"), r"found: a\.pth, b\.pth"),
    ],
)
def test_a_folder_that_no_worker_could_load(
    tmp_path: Path, config: object, checkpoints: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        CoquiVoice(model(tmp_path, config, checkpoints))


def test_no_folder_and_no_config(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model folder"):
        look(tmp_path / "absent")
    with pytest.raises(ModelError, match=r"config\.json is missing"):
        look(tmp_path)


def test_a_language_that_the_model_has_not(tmp_path: Path) -> None:
    with pytest.raises(SpeechError, match=r"does not speak en.*says zh"):
        CoquiVoice(model(tmp_path), "en")


@pytest.mark.skipif(HAS_COQUI, reason="coqui-tts is installed here")
async def test_without_coqui_the_error_says_what_to_install(tmp_path: Path) -> None:
    voice = CoquiVoice(model(tmp_path))
    with pytest.raises(ModelError, match=r"pip install 'agi-bot\[coqui\]'"):
        await voice.start()


@pytest.mark.skipif(HAS_COQUI, reason="coqui-tts is installed here")
def test_export_without_coqui_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(SpeechError, match=r"cannot be exported.*pip install"):
        export(model(tmp_path), tmp_path / "out")


# --- the guard ---


def test_a_module_that_is_missing_gets_an_empty_one_in_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "no_such_audio", raising=False)
    guard._stand_in("no_such_audio")
    try:
        assert importlib.util.find_spec("no_such_audio") is not None
        stand_in = sys.modules["no_such_audio"]
        with pytest.raises(ImportError, match=r"no_such_audio\.load is needed"):
            stand_in.load  # noqa: B018
    finally:
        del sys.modules["no_such_audio"]


def test_a_module_that_breaks_while_it_loads_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_audio.py").write_text("raise OSError('libcudart.so.13: cannot open shared object file')")
    monkeypatch.syspath_prepend(str(tmp_path))
    guard._stand_in("broken_audio")
    try:
        assert isinstance(sys.modules["broken_audio"], guard._Absent)
    finally:
        del sys.modules["broken_audio"]


def test_a_module_that_works_is_left_alone() -> None:
    guard._stand_in("json")
    assert sys.modules["json"] is json


def test_the_segmenter_works_with_and_without_jieba(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agi_bot.speech.coqui.signs.has_jieba", lambda: False)
    assert guard._Segmenter().cut("银行行长") == ["银行行长"]
    monkeypatch.setattr("agi_bot.speech.coqui.signs.has_jieba", lambda: True)
    fake: Any = ModuleType("jieba")
    fake.lcut = lambda text: [text[:2], text[2:]]
    monkeypatch.setitem(sys.modules, "jieba", fake)
    assert guard._Segmenter().cut("银行行长") == ["银行", "行长"]


# --- text ---


def test_letters_are_spelled_in_mandarin() -> None:
    assert spelled("做C T检查") == "做西 提检查"
    assert spelled("您好") == "您好"
    assert sayable_by_coqui("做CT检查", "zh-CN") == "做西提检查"
    assert sayable_by_coqui("a CT scan", "en") == "a CT scan"


def test_marks_before_the_first_word_are_left_out() -> None:
    assert sayable_by_coqui("… (left), please.", "en") == "left), please."


def test_signs_of_letters() -> None:
    signs = Signs({"a": 1, "b": 2, " ": 3}, cleaner="basic_cleaners", blank=0, start=8, end=9)
    assert signs.numbers("  A  bx") == [8, 0, 1, 0, 3, 0, 2, 0, 9]
    assert signs.knows("xa")
    assert not signs.knows("x ")


def test_signs_of_mandarin_phonemes() -> None:
    signs = Signs(
        {"n": 1, "i": 2, "x": 3, "a": 4, "o": 5, "3": 6, "2": 7, "，": 8},
        phonemiser="zh_cn_phonemizer",
        pinyin={"ni": "ni", "hao": "xao"},
    )
    assert signs.numbers("你好，") in ([1, 2, 6, 3, 4, 5, 6, 8], [1, 2, 7, 3, 4, 5, 6, 8])


# --- the exported voice, the real onnxruntime ---


async def test_an_exported_voice_speaks_at_the_level_of_the_line() -> None:
    voice = OnnxVoice(FIXTURE)
    try:
        sound = await spoken(voice, "您好，这里是市一医院。")
    finally:
        await voice.close()
    assert sound.ms > 1000
    assert active_level(to_wave(sound), 8000) == pytest.approx(-20, abs=1.5)


async def test_the_same_text_has_the_same_sound_and_speed_is_heard() -> None:
    usual, slow = OnnxVoice(FIXTURE), OnnxVoice(FIXTURE, speed=0.5)
    try:
        first = await spoken(usual, "您好。")
        assert (await spoken(usual, "您好。")).pcm == first.pcm
        assert (await spoken(slow, "您好。")).ms > 1.5 * first.ms
    finally:
        await asyncio.gather(usual.close(), slow.close())
    assert usual.key != slow.key


async def test_letters_digits_and_odd_text_are_spoken() -> None:
    voice = OnnxVoice(FIXTURE)
    try:
        plain = (await spoken(voice, "做检查")).ms
        assert (await spoken(voice, "做CT检查")).ms > plain
        assert (await spoken(voice, "第2个😀")).ms > 100
    finally:
        await voice.close()


async def test_a_killed_worker_is_not_heard() -> None:
    voice = OnnxVoice(FIXTURE)
    try:
        whole = (await spoken(voice, "第一句话。第二句话。第三句话。第四句话。")).ms
        heard = 0.0
        async with aclosing(voice.speak("第一句话。第二句话。第三句话。第四句话。")) as frames:  # type: ignore[type-var]
            async for frame in frames:
                if not heard:
                    os.kill(voice._pool.pids[0], signal.SIGKILL)
                heard += frame.ms
    finally:
        await voice.close()
    assert heard == pytest.approx(whole, abs=60)


async def test_an_unknown_speaker_is_an_error() -> None:
    voice = OnnxVoice(FIXTURE, speaker="nobody")
    try:
        with pytest.raises(SpeechError, match="no speaker 'nobody'"):
            await spoken(voice, "您好")
    finally:
        await voice.close()


def test_a_language_that_the_export_has_not() -> None:
    with pytest.raises(SpeechError, match=r"does not speak en.*zh"):
        OnnxVoice(FIXTURE, "en")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("voice.json", None, "no exported voice"),
        ("model.onnx", None, "no exported voice"),
        ("voice.json", b"{", "no exported voice"),
        ("voice.json", b"{}", "incomplete"),
    ],
)
def test_a_folder_that_is_no_export(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    folder = Path(shutil.copytree(FIXTURE, tmp_path / "voice"))
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    with pytest.raises(ModelError, match=message):
        OnnxVoice(folder)


async def test_a_damaged_model_is_named_at_the_start(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(FIXTURE, tmp_path / "voice"))
    (folder / "model.onnx").write_bytes(b"no model at all")
    voice = OnnxVoice(folder)
    with pytest.raises(ModelError, match=r"model\.onnx does not load"):
        await voice.start()


@pytest.mark.skipif(importlib.util.find_spec("jieba") is not None, reason="jieba is installed here")
async def test_a_voice_that_needs_jieba_says_so(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(FIXTURE, tmp_path / "voice"))
    values = json.loads((folder / "voice.json").read_text(encoding="utf-8"))
    values["signs"]["words"] = "jieba"
    (folder / "voice.json").write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(ModelError, match="pip install jieba"):
        await OnnxVoice(folder).start()


# --- a sentence in pieces ---


def speech(seconds: float, amplitude: float = 0.1) -> bytes:
    t = np.arange(int(16000 * seconds)) / 16000
    wave = amplitude * np.sin(2 * np.pi * 700 * t) * (1 + 0.3 * np.sin(2 * np.pi * 3 * t))
    return (wave * 32768).astype("<i2").tobytes()


@pytest.mark.parametrize("cut", [321, 3200, 10**6])
def test_a_streamed_sentence_loses_its_silence_and_nothing_else(cut: int) -> None:
    pcm = bytes(16000) + speech(0.5) + bytes(8000) + speech(0.5) + bytes(32000)
    stream = Stream(Leveller())
    cut -= cut % 2
    frames = [frame for i in range(0, len(pcm), cut) for frame in stream.push(pcm[i : i + cut], 16000)]
    frames += list(stream.end())
    assert all(len(frame.pcm) % 320 == 0 for frame in frames)
    sound = Frame(b"".join(frame.pcm for frame in frames))
    assert sound.ms == pytest.approx(10 + 500 + 250 + 500 + 40, abs=40)
    assert active_level(to_wave(sound), 8000) == pytest.approx(-20, abs=1.5)
    assert abs(int(sound.samples[0])) < 100
    assert abs(int(sound.samples[-1])) < 100


def test_a_stream_that_begins_loud_does_not_click() -> None:
    stream = Stream(Leveller())
    loud = (0.3 * np.sign(np.sin(np.arange(16000) * 0.4)) * 32768).astype("<i2").tobytes()
    pcm = b"".join(frame.pcm for frame in [*stream.push(loud, 16000), *stream.end()])
    assert abs(int(Frame(pcm).samples[0])) < 10


def test_a_stream_keeps_the_level_of_the_sentences_before() -> None:
    leveller = Leveller()
    first = Stream(leveller)
    list(first.push(speech(1), 16000))
    list(first.end())
    second = Stream(leveller)
    quiet = b"".join(frame.pcm for frame in [*second.push(speech(1, 0.05), 16000), *second.end()])
    assert active_level(to_wave(Frame(quiet)), 8000) == pytest.approx(-26, abs=1.5)


def test_a_stream_of_silence_or_nothing_is_empty() -> None:
    assert list(Stream(Leveller()).end()) == []
    silent = Stream(Leveller())
    assert [*silent.push(bytes(32000), 16000), *silent.end()] == []
