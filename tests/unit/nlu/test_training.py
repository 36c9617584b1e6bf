"""How the embedded interpreter learns: left-out scores are true, confidence is honest, large sets work."""

from __future__ import annotations

import numpy as np
import pytest

from agi_bot.nlu import NluData, ridge
from agi_bot.nlu.calibration import best, calibrate
from agi_bot.nlu.features import extractor
from agi_bot.nlu.training import cross_validate, train
from agi_bot.nlu.vectors import Vocabulary
from agi_bot.shipped import shipped

RIDGE = 0.1


def problem(count: int = 60, size: int = 30) -> tuple[object, np.ndarray, np.ndarray]:
    from scipy.sparse import csr_matrix

    random = np.random.default_rng(3)
    truth = np.arange(count) % 3
    dense = random.random((count, size)) * (random.random((count, size)) < 0.2)
    dense[np.arange(count), truth] += 1
    dense /= np.linalg.norm(dense, axis=1, keepdims=True)
    targets = np.where(np.eye(3)[truth] > 0, 1.0, -1.0)
    return csr_matrix(dense), targets, truth


def test_left_out_scores_are_those_of_a_model_without_the_example() -> None:
    rows, targets, _ = problem()
    _, _, left_out = ridge.exact(rows, targets, RIDGE)
    for example in (0, 7, 59):
        others = np.arange(len(targets)) != example
        weights, bias, _ = ridge.exact(rows[others], targets[others], RIDGE)
        assert left_out[example] == pytest.approx((rows[example] @ weights + bias)[0], abs=1e-9)


def test_the_closed_form_solves_the_normal_equations() -> None:
    rows, targets, _ = problem()
    weights, bias, _ = ridge.exact(rows, targets, RIDGE)
    wide = np.hstack([rows.toarray(), np.ones((len(targets), 1))])
    solved = np.linalg.solve(wide.T @ wide + RIDGE * np.eye(wide.shape[1]), wide.T @ targets)
    assert np.vstack([weights, bias]) == pytest.approx(solved, abs=1e-8)


def test_both_ways_to_solve_agree() -> None:
    rows, targets, truth = problem(count=300)
    exact_weights, exact_bias, exact_left = ridge.exact(rows, targets, RIDGE)
    weights, bias, left_out = ridge.approximate(rows, targets, truth, RIDGE)
    exact_scores, scores = rows @ exact_weights + exact_bias, rows @ weights + bias
    assert np.abs(exact_scores - scores).max() < 0.1
    assert (left_out.argmax(1) == exact_left.argmax(1)).mean() > 0.95


def test_more_examples_than_the_closed_form_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    data = NluData.load([shipped("flows", "shared", "nlu.en.yml")])
    monkeypatch.setattr("agi_bot.nlu.training.LARGEST_EXACT", 100)
    judged = cross_validate(data, "en")
    assert sum(one.best == one.intent for one in judged) / len(judged) > 0.6


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_confidence_is_honest(language: str) -> None:
    shared = shipped("flows", "shared")
    data = NluData.load([shared / f"nlu.{language}.yml", shared / f"background.{language}.txt"])
    judged = cross_validate(data, language)
    for low, high in ((0.0, 0.25), (0.25, 0.5), (0.5, 0.75), (0.75, 1.0)):
        inside = [one for one in judged if low <= one.confidence < high]
        right = sum(one.best == one.intent for one in inside) / len(inside)
        said = sum(one.confidence for one in inside) / len(inside)
        assert abs(right - said) < 0.1, f"{low}-{high}: said {said:.2f}, right {right:.2f} of {len(inside)}"


def test_the_threshold_rejects_background() -> None:
    shared = shipped("flows", "shared")
    data = NluData.load([shared / "nlu.zh-CN.yml", shared / "background.zh-CN.txt"])
    outside = [one for one in cross_validate(data, "zh-CN") if not one.intent]
    assert sum(not one.answer for one in outside) / len(outside) > 0.9


def test_without_background_nothing_is_rejected() -> None:
    data = NluData.load([shipped("flows", "shared", "nlu.en.yml")])
    assert train(data, "en").calibration.threshold == 0.0


def test_calibration_of_a_perfect_and_of_a_blind_model() -> None:
    truth = np.arange(90) % 3
    perfect = np.where(np.eye(3)[truth] > 0, 1.0, -1.0)
    sure = calibrate(perfect, truth, -1)
    assert sure.confidence(sure.odds(perfect)).min() > 0.9
    blind = np.random.default_rng(1).normal(size=(90, 3))
    unsure = calibrate(blind, truth, -1)
    assert unsure.confidence(unsure.odds(blind)).max() < 0.8


def test_the_hidden_class_is_never_the_best() -> None:
    assert best(np.array([[9.0, 1.0, 2.0]]), background=0).tolist() == [2]


def test_homophones_share_their_sound() -> None:
    cut = extractor("zh-CN")
    assert cut("在见")["sounds"] == cut("再见")["sounds"]
    assert cut("在见")["chars"] != cut("再见")["chars"]


def test_contractions_are_the_long_form() -> None:
    cut = extractor("en")
    assert cut("I can't, I'm busy.") == cut("i can not i am busy")


def test_vectors_have_length_one() -> None:
    documents = [extractor("zh-CN")(text) for text in ("好的", "不行", "好不好")]
    vocabulary = Vocabulary.of(documents)
    for document in documents:
        row = vocabulary.encode(document)
        assert float(row.weights @ row.weights) == pytest.approx(1, abs=1e-6)
    assert len(vocabulary.encode(extractor("zh-CN")("xyz")).indices) == 0
