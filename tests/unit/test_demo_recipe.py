"""The parts of the demo model's recipe that need neither torch nor OpenFst."""

import math
import random
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

DEMO = Path(__file__).parents[2] / "models" / "demo"
sys.path.insert(0, str(DEMO))

from recipe import language_model, phrases, units, voices  # type: ignore[import-not-found]  # noqa: E402
from recipe.espeak import Sound, Utterance  # type: ignore[import-not-found]  # noqa: E402


def write(folder: Path, text: str) -> Path:
    path = folder / "phrases.txt"
    path.write_text(text, "utf-8")
    return path


def test_replies_are_listed_and_patterns_drawn(tmp_path: Path) -> None:
    found = phrases.load_phrases(write(tmp_path, "# notes\n@day: 今天|明天\n! 对|不 对\n[我|] {day} [没空|有 {day}]\n"))
    rng = random.Random(1)
    assert found.list_replies(rng) == [("不", "对"), ("对",)]
    drawn = set(found.sentences(200, rng))
    assert ("我", "今天", "没空") in drawn
    assert ("明天", "有", "今天") in drawn
    assert len(drawn) == 2 * 2 * 3


def test_an_unknown_class_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"phrases\.txt:2: no class \{day\}"):
        phrases.load_phrases(write(tmp_path, "# notes\n! {day}\n"))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_phrase_files_can_be_read(language: str) -> None:
    found = phrases.load_phrases(DEMO / "recipe" / f"phrases.{language}.txt")
    rng = random.Random(1)
    assert len(found.list_replies(rng)) > 500
    assert all(all(words) for words in found.sentences(500, rng))


def test_a_trigram_is_a_distribution_after_every_history() -> None:
    sentences = [("a", "b"), ("a", "b"), ("a", "b", "a"), ("a",), ("c", "a", "b"), ("b",)]
    model = language_model.count_trigram(sentences)
    words = set(model.follow[()])
    assert ("a", "b") in model.follow
    for history in model.follow:
        assert math.isclose(sum(model.share(history, word) for word in words), 1.0), history
    assert model.share(("a",), "b") > model.share(("a",), language_model.END)
    assert model.share(("c", "a"), "b") == model.share(("a",), "b")


def test_languages_share_the_start_and_nothing_else() -> None:
    ids = {"不": 1, "对": 2, "yes": 3, language_model.UNKNOWN: 4}
    arcs = arcs_of([speech(("对",), ("不", "对")), speech(("yes",))], ids)
    starts = [arc[1] for arc in arcs if arc[0] == "0"]
    assert len(starts) == 4
    heard = [{arc[2] for arc in arcs if arc[0] in reachable(arcs, start)} - {"0", "4"} for start in starts]
    assert heard == [{"1", "2"}, {"1", "2"}, {"3"}, {"3"}]


def test_replies_by_heart_are_a_distribution() -> None:
    ids = {"不": 1, "对": 2, "行": 3, language_model.UNKNOWN: 4}
    replies: tuple[tuple[str, ...], ...] = (("对",), ("不",), ("不", "对"), ("不", "行"))
    arcs = arcs_of([speech(*replies)], ids)
    start = [arc[1] for arc in arcs if arc[0] == "0"][1]
    costs = [float(arc[3]) for arc in arcs if arc[0] == start]
    assert math.isclose(sum(math.exp(-cost) for cost in costs), 1.0, rel_tol=1e-3)


def speech(*sentences: tuple[str, ...]) -> Any:
    return language_model.Speech(language_model.count_trigram(sentences), Counter(sentences))


def arcs_of(spoken: list[Any], ids: dict[str, int]) -> list[list[str]]:
    lines = [line.split() for line in language_model.acceptor(spoken, ids)]
    return [line for line in lines if len(line) == 4]


def reachable(arcs: list[list[str]], start: str) -> set[str]:
    found = {start}
    for _ in arcs:
        found.update(arc[1] for arc in arcs if arc[0] in found)
    return found


def sounds(*named: tuple[str, int, int]) -> Utterance:
    import numpy as np

    return Utterance(np.zeros(1, np.int16), [Sound(*sound) for sound in named], 22050)


def test_a_short_pause_belongs_to_the_stop_after_it() -> None:
    spoken = sounds(("n", 0, 0), ("A", 0, 80), ("_|", 0, 200), ("th", 1, 240), ("iE", 1, 290), ("_:", 2, 400))
    assert units.timed_units(spoken, "zh") == [
        ("z_n", 0, 0),
        ("z_A", 0, 80),
        ("z_th", 1, 200),
        ("z_iE", 1, 290),
        ("SIL", 2, 400),
    ]


def test_mandarin_words_are_cut_by_syllables() -> None:
    spoken = sounds(("s", 0, 0), ("a", 0, 60), ("n", 0, 120), ("t", 0, 200), ("iE", 0, 260), ("n", 0, 320))
    timed = units.timed_units(spoken, "zh")
    assert units.word_units(("三", "点"), "三点", timed, "zh") == [
        ("z_s", "z_a", "z_nn"),
        ("z_t", "z_iE", "z_nn"),
    ]
    assert units.word_units(("三",), "三", timed, "zh") == []


def test_english_words_are_cut_by_their_place_in_the_text() -> None:
    spoken = sounds(("n", 0, 0), ("oU", 0, 50), ("t#", 3, 120), ("aI", 3, 150), ("m", 3, 200))
    timed = units.timed_units(spoken, "en")
    assert units.word_units(("no", "time"), "no time", timed, "en") == [
        ("e_n", "e_oU"),
        ("e_t", "e_aI", "e_m"),
    ]


def test_a_sound_without_a_unit_is_refused() -> None:
    with pytest.raises(units.UnknownSoundError, match="zh: Q"):
        units.timed_units(sounds(("Q", 0, 0)), "zh")


def test_the_evaluation_hears_nobody_from_training() -> None:
    assert not set(voices.HELD_OUT_VARIANTS) & set(voices.TRAINING_VARIANTS)
    rng = random.Random(1)
    trained = {voices.training_manner("en", rng).speed for _ in range(3000)}
    assert not trained & set(voices.HELD_OUT_SPEEDS)
