"""Words of the business that cannot help are told with their place and a cure."""

from __future__ import annotations

import pytest

from agi_bot.flow import load_text
from agi_bot.flow.check import check
from agi_bot.flow.problem import Severity

FLOW = """flow: shop
language: {language}
words: {words}
start: bye
steps:
  bye: {{say: Goodbye., end: done}}
"""


def found(words: str, language: str = "zh-CN") -> list[tuple[str, str]]:
    flow = load_text(FLOW.format(words=words, language=language), "flows/shop/shop.yaml")
    problems = [problem for problem in check(flow) if problem.rule == "useless-word"]
    assert all(problem.severity is Severity.ERROR and problem.cure for problem in problems)
    return [(f"{problem.file}:{problem.line}:{problem.column}", problem.message) for problem in problems]


def test_words_that_help_are_no_problem() -> None:
    assert found("[CT检查, 处方药, 二甲双胍, B超, 豆浆机]") == []
    assert found("[air fryer, CT scan, rice cooker]", "en") == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ('[处方药, ""]', "an empty word"),
        ("[处方药, 药]", "`药` is too short: too much sounds like it"),
        ("[处方药, 三百五]", "`三百五` is a number: numbers are never put for what sounds like them"),
        ('[处方药, "350"]', "`350` is a number: numbers are never put for what sounds like them"),
        ("[处方药, 处方药]", "`处方药` stands twice"),
        ("[处方药, 处方药！]", "`处方药！` has a `！`, which nobody says"),
        ('[处方药, "{item}"]', "`{item}` has a `{`, which nobody says"),
        ("[处方药, 我想问一下处方药在哪里可以拿到]", "`我想问一下处方药在哪里可以拿到` is a sentence, not a word"),
    ],
)
def test_the_place_of_a_wrong_word_is_told(words: str, message: str) -> None:
    ((spot, told),) = found(words)
    assert told == message
    assert spot.startswith("flows/shop/shop.yaml:3:")
    assert int(spot.split(":")[2]) > len("words: [处方药")


def test_a_single_word_needs_no_list() -> None:
    assert found("处方药") == []
    ((spot, told),) = found("药")
    assert (spot, told) == ("flows/shop/shop.yaml:3:8", "`药` is too short: too much sounds like it")


def test_words_of_sub_flows_are_words_of_the_flow() -> None:
    flow = load_text(FLOW.format(words="[处方药, 血常规]", language="zh-CN"))
    assert flow.words == ("处方药", "血常规")
