"""What is told about a model folder before libvosk sees it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from agi_bot.errors import ModelError
from agi_bot.speech.vosk import inspect_folder

FST = b"\xd6\xfd\xb2\x7e" + bytes(60)


def write(path: Path, data: bytes | str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder that looks whole, in the layout of today's models."""
    root = tmp_path / "vosk-model-test"
    write(root / "am/final.mdl", b"\0B<TransitionModel> ...")
    write(root / "conf/model.conf", "--min-active=200\n--endpoint.silence-phones=1:2:3 # phones\n")
    write(root / "conf/mfcc.conf", "--sample-frequency=16000\n--use-energy=false\n")
    write(root / "graph/HCLr.fst", FST)
    write(root / "graph/Gr.fst", FST)
    write(root / "graph/disambig_tid.int", "7\n")
    write(root / "graph/words.txt", "<eps> 0\n可以 1\n")
    return root


def test_a_whole_model_is_described(model: Path) -> None:
    folder = inspect_folder(model)
    assert (folder.name, folder.rate, folder.grammar) == ("vosk-model-test", 16000, True)
    assert (folder.upsample, folder.downsample, folder.lists) == (False, False, {})


def test_a_static_graph_takes_no_grammar(model: Path) -> None:
    (model / "graph/HCLr.fst").unlink()
    write(model / "graph/HCLG.fst", FST)
    assert not inspect_folder(model).grammar


def test_the_layout_of_older_models_is_known(model: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    for name in ("am/final.mdl", "conf/mfcc.conf", "graph/HCLr.fst", "graph/Gr.fst", "graph/words.txt"):
        write(old / Path(name).name, (model / name).read_bytes())
    write(old / "disambig_tid.int", "7\n")
    assert inspect_folder(old).rate == 16000


def test_languages_of_a_model_are_found(model: Path) -> None:
    write(model / "words.zh.txt", "可以\n")
    write(model / "words.en.txt", "yes\n")
    assert sorted(inspect_folder(model).lists) == ["en", "zh"]


def test_line_sound_is_resampled_unless_the_model_does_it(model: Path) -> None:
    assert inspect_folder(model).decoding_rate(8000) == 16000
    write(model / "conf/mfcc.conf", "--sample-frequency=16000\n--allow-upsample=true\n")
    assert inspect_folder(model).decoding_rate(8000) == 8000


def test_a_narrow_model_hears_the_line_as_it_is(model: Path) -> None:
    write(model / "conf/mfcc.conf", "--sample-frequency=8000.0\n")
    folder = inspect_folder(model)
    assert (folder.rate, folder.decoding_rate(8000), folder.decoding_rate(16000)) == (8000, 8000, 8000)


def test_fbank_features_serve_as_well(model: Path) -> None:
    (model / "conf/mfcc.conf").unlink()
    write(model / "conf/fbank.conf", "--sample-frequency=8000\n")
    assert inspect_folder(model).rate == 8000


def remove(name: str) -> Callable[[Path], None]:
    return lambda model: (model / name).unlink()


def replace(name: str, data: bytes | str) -> Callable[[Path], None]:
    return lambda model: write(model / name, data)


DAMAGES = {
    "no acoustic model": (remove("am/final.mdl"), "final.mdl"),
    "empty acoustic model": (replace("am/final.mdl", b""), "empty"),
    "a Git LFS pointer": (replace("am/final.mdl", "version https://git-lfs"), "not a Kaldi model"),
    "no model.conf": (remove("conf/model.conf"), "model.conf"),
    "model.conf without silence phones": (replace("conf/model.conf", "--beam=13\n"), "--endpoint.silence-phones"),
    "silence phones without value": (replace("conf/model.conf", "--endpoint.silence-phones=\n--a=b\n"), "model.conf"),
    "commented silence phones": (replace("conf/model.conf", "--a=1\n# --endpoint.silence-phones=1\n"), "silence"),
    "no features": (remove("conf/mfcc.conf"), "neither mfcc.conf nor fbank.conf"),
    "rate is no number": (replace("conf/mfcc.conf", "--sample-frequency=wide\n"), "not a number"),
    "garbage in a conf": (replace("conf/model.conf", "min-active 200\n"), "model.conf:1"),
    "no graph": (remove("graph/HCLr.fst"), "HCLG.fst"),
    "half a dynamic graph": (remove("graph/Gr.fst"), "Gr.fst"),
    "graph is a web page": (replace("graph/HCLr.fst", "<html>"), "not an OpenFst file"),
    "no disambiguation": (remove("graph/disambig_tid.int"), "disambig_tid.int"),
    "no words": (remove("graph/words.txt"), "words.txt"),
    "words without numbers": (replace("graph/words.txt", "可以\n"), "words.txt:1"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_told_with_file_and_cure(model: Path, damage: str) -> None:
    harm, told = DAMAGES[damage]
    harm(model)
    with pytest.raises(ModelError) as caught:
        inspect_folder(model)
    assert told in caught.value.message
    assert str(model) in caught.value.message
    assert caught.value.cure


@pytest.mark.parametrize("kind", ["missing", "file", "empty"])
def test_what_is_no_model_folder_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "model"
    if kind == "file":
        path.write_text("zip")
    elif kind == "empty":
        path.mkdir()
    with pytest.raises(ModelError) as caught:
        inspect_folder(path)
    assert str(path) in caught.value.message
    assert caught.value.cure
