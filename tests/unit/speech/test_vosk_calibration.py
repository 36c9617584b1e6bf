"""A confidence of 0.8 means right in 8 of 10."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import soundfile

from agi_bot.contracts import Word
from agi_bot.errors import ModelError
from agi_bot.shipped import shipped
from agi_bot.speech.vosk.calibrating import hear_all, read_table
from agi_bot.speech.vosk.calibration import FILE, Calibration, Trial, error, fit, load, save, signals
from agi_bot.speech.vosk.results import transcript
from agi_bot.speech.vosk.settings import VoskSettings

MADE = Calibration((0.5, 1.0, -4.0, 0.0), -1.0, 1000)


def words(*confidences: float, text: str = "好") -> tuple[Word, ...]:
    return tuple(Word(text, 200 * at, 200 * at + 200, sure) for at, sure in enumerate(confidences))


def overconfident(count: int, seed: int) -> list[Trial]:
    """A recogniser that is right half as often as it says."""
    rng = random.Random(seed)
    sure = [rng.uniform(0.2, 1) for _ in range(count)]
    return [Trial(words(one, one), rng.random() < one / 2) for one in sure]


def test_an_overconfident_recogniser_is_put_right_on_speech_it_was_not_fitted_on() -> None:
    made = fit(overconfident(2000, 1))
    fresh = overconfident(2000, 2)
    assert error([(made.confidence(trial.words), trial.right) for trial in fresh]) < 0.05
    assert made.error_before > 0.25
    assert made.error_after < 0.05


def test_of_a_perfect_prophet_the_error_is_nothing() -> None:
    assert error([(0.0, False)] * 50 + [(1.0, True)] * 50) == 0.0
    assert error([(0.9, False)] * 100) == pytest.approx(0.9)


@pytest.mark.parametrize("right", [True, False])
def test_speech_that_is_all_right_or_all_wrong_cannot_calibrate(right: bool) -> None:
    with pytest.raises(ModelError, match="too few to calibrate"):
        fit([Trial(words(0.9), right)] * 500)


def test_unknown_words_and_unsure_ones_lower_it() -> None:
    sure = MADE.confidence(words(0.99, 0.99))
    assert MADE.confidence(words(0.99, 0.3)) < sure
    assert MADE.confidence(words(0.99) + words(0.99, text="[unk]")) < sure
    assert signals(words(1.0) + words(1.0, text="[unk]"))[2] == 0.5


def test_the_transcript_carries_it_and_the_limit_is_held_against_it() -> None:
    heard = transcript(words(0.9, 0.6), VoskSettings(reject_below=0.0), MADE)
    assert heard.confidence == MADE.confidence(words(0.9, 0.6))
    assert transcript(words(0.9, 0.6), VoskSettings(reject_below=heard.confidence + 0.01), MADE).text == ""


def test_it_is_kept_beside_the_model(tmp_path: Path) -> None:
    assert load(tmp_path) is None
    save(MADE, tmp_path)
    assert load(tmp_path) == MADE


@pytest.mark.parametrize("text", ["{", "[]", '{"signals": [], "weights": [1], "bias": 0}', '{"weights": []}'])
def test_a_broken_file_is_told_with_its_cure(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text, "utf-8")
    with pytest.raises(ModelError, match=r"calibration\.json is no calibration") as told:
        load(tmp_path)
    assert "agi-bot models calibrate" in str(told.value.cure)


def test_the_demo_model_is_calibrated() -> None:
    made = load(shipped("models", "demo"))
    assert made is not None
    assert made.confidence(words(1.0, 1.0)) > 0.8 > made.confidence(words(1.0, 0.4))


def test_files_are_heard_on_clean_and_noisy_lines(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(4000, dtype=np.int16), 8000)
    (tmp_path / "speech.tsv").write_text("path\tlanguage\ttranscript\na.wav\tzh-CN\t好的\na.wav\ten\tyes\n", "utf-8")
    spoken = read_table(tmp_path, "zh")
    assert [(one.path.name, one.transcript) for one in spoken] == [("a.wav", "好的")]
    assert [trial.right for trial in hear_all(shipped("models", "demo"), spoken)] == [False] * 3


def test_a_row_that_lacks_something_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "speech.tsv").write_text("path\tlanguage\ttranscript\na.wav\tzh\t好\nb.wav\tzh\n", "utf-8")
    with pytest.raises(ModelError, match=r"speech\.tsv:3 lacks"):
        read_table(tmp_path, "zh")
    with pytest.raises(ModelError, match="cannot be read"):
        read_table(tmp_path / "nowhere", "zh")
