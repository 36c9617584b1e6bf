"""``agi-bot nlu`` and ``agi-bot rasa`` from the command line."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agi_bot.cli.nlu import app
from agi_bot.cli.rasa import app as rasa_app
from agi_bot.errors import NluError
from agi_bot.nlu import NluData
from agi_bot.nlu.measure import Judged, score
from agi_bot.nlu.rasa_data import training_file
from agi_bot.nlu.rasa_env import RasaHome, config_of, fitting_python
from agi_bot.shipped import shipped

HELD_OUT = Path(__file__).parents[2] / "data" / "nlu"

TRAIN = """\
nlu:
- intent: yes
  examples: |
    - yes
    - yes please
- intent: no
  examples: |
    - no
    - no way
"""
TEST = "nlu:\n- intent: yes\n  examples: |\n    - yes yes\n- intent: no\n  examples: |\n    - no no\n    - yes\n"


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.yml").write_text(TRAIN, encoding="utf-8")
    (tmp_path / "test.yml").write_text(TEST, encoding="utf-8")
    return CliRunner()


def test_train_then_test_any_rasa_data(cli: CliRunner) -> None:
    trained = cli.invoke(app, ["train", "train.yml"])
    assert trained.output.startswith("en: 2 intents, 4 examples, 0 background utterances")
    tested = cli.invoke(app, ["test", "test.yml", "--format", "json"])
    report = json.loads(tested.output)
    assert (report["engine"], report["language"], report["sentences"]) == ("embedded", "en", 3)
    assert report["accuracy"] == pytest.approx(2 / 3, abs=1e-3)
    assert report["confusions"] == [{"intent": "no", "answer": "yes", "count": 1, "texts": ["yes"]}]


def test_the_shared_data_on_unseen_sentences(cli: CliRunner) -> None:
    shared = str(shipped("flows", "shared"))
    arguments = ["test", str(HELD_OUT / "heldout.en.yml"), "--data", shared, "--language", "en", "--format", "json"]
    report = json.loads(cli.invoke(app, [*arguments, "--outside", str(HELD_OUT / "outofscope.en.txt")]).output)
    assert report["accuracy"] > 0.88
    assert report["outside_rejected"] > 0.85
    assert report["outside"] > 100


def test_confusion_names_the_sentences(cli: CliRunner) -> None:
    printed = cli.invoke(app, ["confusion", "train.yml"]).output
    assert "said" in printed
    assert "right" in printed
    assert json.loads(cli.invoke(app, ["confusion", "train.yml", "--format", "json"]).output)["sentences"] == 4


def test_a_folder_without_data_is_named(cli: CliRunner, tmp_path: Path) -> None:
    result = cli.invoke(app, ["train", str(tmp_path)])
    assert "there is no nlu.zh-CN.yml" in str(result.exception)


def test_rasa_that_is_not_there(cli: CliRunner) -> None:
    result = cli.invoke(rasa_app, ["status", "--url", "http://127.0.0.1:9"])
    assert result.exit_code == 1
    assert "down: Rasa at http://127.0.0.1:9 cannot be reached" in result.output
    for command in (["train"], ["run", "model.tar.gz"]):
        assert "Rasa is not installed" in str(cli.invoke(rasa_app, command).exception)


def test_score_counts_rejections_and_outsiders() -> None:
    judged = [
        Judged("a", "yes", "yes", "yes", 0.9, 1.0),
        Judged("b", "yes", "", "yes", 0.2, 2.0),
        Judged("c", "no", "yes", "yes", 0.6, 3.0),
        Judged("d", "", "", "no", 0.1, 4.0),
        Judged("e", "", "no", "no", 0.7, 5.0),
    ]
    summed = score(judged)
    assert (summed.sentences, summed.accuracy, summed.accuracy_of_best) == (3, 0.3333, 0.6667)
    assert (summed.rejected, summed.outside, summed.outside_rejected) == (0.3333, 2, 0.5)
    assert (summed.ms_p50, summed.ms_p99) == (3.0, 5.0)
    assert summed.macro_f1 == pytest.approx((2 * 1 / (2 + 2) + 0) / 2, abs=1e-4)
    assert score([]).accuracy == 1.0


def python_of(folder: Path, version: str) -> Path:
    program = folder / f"python-{version}"
    program.write_text(f"#!/bin/sh\necho {version}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def test_only_a_fitting_python_is_taken(tmp_path: Path) -> None:
    assert fitting_python(python_of(tmp_path, "3 10")).name == "python-3 10"
    with pytest.raises(NluError, match=r"is Python 3\.12, Rasa 3\.6 needs Python 3\.8, 3\.9 or 3\.10"):
        fitting_python(python_of(tmp_path, "3 12"))
    with pytest.raises(NluError, match="cannot be run"):
        fitting_python(tmp_path / "nothing")


def test_no_python_is_a_clear_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(NluError) as caught:
        fitting_python()
    assert "none was found" in str(caught.value)
    assert "engine: embedded" in str(caught.value)


def test_a_python_on_the_path_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python_of(tmp_path, "3 9").rename(tmp_path / "python3.9")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/bin")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert fitting_python() == tmp_path / "python3.9"


@pytest.mark.parametrize("pipeline", ["light", "bert"])
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_pipeline_is_shipped(pipeline: str, language: str) -> None:
    config = config_of(pipeline, language)
    assert f"language: {language[:2]}" in config
    assert ("JiebaTokenizer" in config) == (language == "zh-CN")


def test_an_unknown_pipeline_is_named() -> None:
    with pytest.raises(NluError, match="there is no pipeline 'huge'"):
        config_of("huge", "en")


def test_bert_takes_weights_from_a_folder(tmp_path: Path) -> None:
    for name in ("config.json", "vocab.txt", "tf_model.h5"):
        (tmp_path / name).touch()
    assert f'model_weights: "{tmp_path}"' in config_of("bert", "zh-CN", str(tmp_path))
    assert 'model_weights: "hfl/rbt3"' in config_of("bert", "zh-CN", "hfl/rbt3")
    assert "model_weights: bert-base-chinese" in config_of("bert", "zh-CN")


@pytest.mark.parametrize(
    ("pipeline", "weights", "message"),
    [
        ("light", "bert-base-chinese", "light has no weights"),
        ("bert", "/nowhere", "no folder /nowhere"),
        ("bert", ".", "holds no config.json and no vocab.txt"),
    ],
)
def test_weights_that_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pipeline: str, weights: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NluError, match=message):
        config_of(pipeline, "zh-CN", weights)


def test_the_unit_file_keeps_the_token_out(tmp_path: Path, cli: CliRunner) -> None:
    home = RasaHome(tmp_path)
    for file in (home.program, home.models / "m.tar.gz"):
        file.parent.mkdir(parents=True)
        file.touch()
    unit = cli.invoke(rasa_app, ["unit", "--folder", str(tmp_path)]).output
    assert f"ExecStart={home.program} run --enable-api -i 127.0.0.1 -p 5005 -m {home.models}/m.tar.gz" in unit
    assert "--auth-token ${RASA_TOKEN}" in unit
    assert "@" not in unit


def test_data_for_rasa_reads_back_the_same() -> None:
    text = training_file(NluData.load([shipped("flows", "shared", "nlu.zh-CN.yml")]))
    again, first = NluData.parse(text), NluData.load([shipped("flows", "shared", "nlu.zh-CN.yml")])
    assert [(e.text, e.intent, e.entities) for e in again.all_examples] == [
        (e.text, e.intent, e.entities) for e in first.all_examples
    ]


def test_background_becomes_out_of_scope(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text("it [rains]\n")
    (tmp_path / "n.yml").write_text(TRAIN)
    again = NluData.parse(training_file(NluData.load([tmp_path / "n.yml", tmp_path / "b.txt"])))
    assert again.intents == ("yes", "no", "out_of_scope")
    assert again.examples("out_of_scope")[0].text == "it rains"
