"""Models that would end the process: it must live, and say what is wrong."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from agi_bot.errors import ModelError
from agi_bot.shipped import shipped
from agi_bot.speech.vosk import VoskRecognizer
from agi_bot.speech.vosk.engine import Decoder, load


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the demo model, with no memory of earlier trials."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    copy = tmp_path / "demo"
    shutil.copytree(shipped("models", "demo"), copy, ignore=shutil.ignore_patterns("recipe"))
    return copy


def cut(name: str, size: int) -> Callable[[Path], None]:
    def harm(model: Path) -> None:
        path = model / name
        path.write_bytes(path.read_bytes()[:size])

    return harm


def fill(name: str, start: int) -> Callable[[Path], None]:
    def harm(model: Path) -> None:
        path = model / name
        data = path.read_bytes()
        path.write_bytes(data[:start] + b"\xff" * (len(data) - start))

    return harm


def replace(name: str, old: str, new: str) -> Callable[[Path], None]:
    def harm(model: Path) -> None:
        path = model / name
        path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")

    return harm


DAMAGES = {
    "acoustic model cut off": cut("am/final.mdl", 200_000),
    "acoustic model garbled": fill("am/final.mdl", 3000),
    "graph cut off": cut("graph/HCLr.fst", 20_000),
    "graph garbled": fill("graph/HCLr.fst", 400),
    "language model cut off": cut("graph/Gr.fst", 4000),
    "silence phones missing": replace("conf/model.conf", "--endpoint.silence-phones=1\n", ""),
    "silence phones garbled": replace("conf/model.conf", "silence-phones=1", "silence-phones=x"),
    "option that does not exist": replace("conf/model.conf", "--beam=", "--bream="),
    "features of another size": replace("conf/fbank.conf", "num-mel-bins=40", "num-mel-bins=23"),
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_model_is_told_and_nothing_dies(model: Path, damage: str) -> None:
    DAMAGES[damage](model)
    recognizer = VoskRecognizer({"zh-CN": model})
    with pytest.raises(ModelError) as caught:
        await recognizer.start()
    assert str(model) in caught.value.message
    assert caught.value.cure
    await recognizer.stop()


async def test_a_whole_model_is_tried_once_and_remembered(model: Path, tmp_path: Path) -> None:
    recognizer = VoskRecognizer({"zh-CN": model, "en": model})
    await recognizer.start()
    assert len(list((tmp_path / "cache/agi-bot/tried-models").iterdir())) == 1
    await recognizer.stop()


async def test_a_changed_model_is_tried_again(model: Path) -> None:
    recognizer = VoskRecognizer({"zh-CN": model})
    await recognizer.start()
    cut("graph/Gr.fst", 4000)(model)
    with pytest.raises(ModelError):
        await VoskRecognizer({"zh-CN": model}).start()
    await recognizer.stop()


async def test_a_cache_that_cannot_be_written_does_not_matter(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null")
    recognizer = VoskRecognizer({"zh-CN": model})
    await recognizer.start()
    await recognizer.stop()


def test_an_empty_grammar_never_reaches_the_library(model: Path) -> None:
    loaded = load(model)
    with pytest.raises(ValueError, match="empty grammar"):
        Decoder(loaded, 8000, "[]")
    decoder = Decoder(loaded, 8000, "")
    decoder.expect("[]")
    decoder.accept(bytes(3200))
    decoder.finish(b"")


def test_the_grammar_may_change_while_sound_is_decoded(model: Path) -> None:
    decoder = Decoder(load(model), 8000, '["好的", "[unk]"]')
    for grammar in ('["不行", "[unk]"]', "", '["对"]', ""):
        decoder.accept(bytes(3200))
        decoder.expect(grammar)
    assert decoder.finish(bytes(3200))


def test_times_go_on_when_the_library_starts_to_count_anew(model: Path) -> None:
    decoder = Decoder(load(model), 8000, '["好的"]')
    decoder.accept(bytes(16_000))
    decoder.expect("")
    assert decoder.origin_ms == 1000.0
