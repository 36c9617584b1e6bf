"""Reading Rasa's nlu.yml: every form of it, and every fault with its place and cure."""

from __future__ import annotations

from pathlib import Path

import pytest

from agi_bot.errors import NluError
from agi_bot.nlu.data import BrokenData, NluData, data_files

GOOD = """\
version: "3.1"
nlu:
- intent: yes
  examples: |
    - 对
    # a remark
    - 好的
- intent: reschedule
  examples: |
    - 改到[后天](time)
    - 改到[礼拜天](time:周日)行吗
    - 换成[下周]{"entity": "time", "value": "next_week"}
    - 买[红色](colour)的[苹果]{"entity": "product"}
- intent: faq/price
  examples:
  - 多少钱
  - text: |
      - 贵不贵
    metadata: {source: shop}
- intent: faq/hours
  examples: |
    - 几点开门
- synonym: 周日
  examples: |
    - 礼拜天
    - 星期日
- regex: order
  examples: |
    - \\d{6}
- lookup: product
  examples: |
    - 苹果
    - 香蕉
"""


def faults(text: str) -> list[tuple[int, int, str]]:
    with pytest.raises(BrokenData) as caught:
        NluData.parse(text, "my.yml")
    return [(fault.spot.line, fault.spot.column, fault.message) for fault in caught.value.faults]


def test_reads_every_form() -> None:
    data = NluData.parse(GOOD)
    assert data.intents == ("yes", "reschedule", "faq/price", "faq/hours")
    assert [example.text for example in data.examples("yes")] == ["对", "好的"]
    assert [example.text for example in data.examples("faq/price")] == ["多少钱", "贵不贵"]
    assert [example.text for example in data.examples("faq")] == ["多少钱", "贵不贵", "几点开门"]
    assert data.entities == ("time", "colour", "product", "order")
    assert data.patterns == {"order": ("\\d{6}",)}
    assert data.lookups == {"product": ("苹果", "香蕉")}
    assert data.synonyms == {"礼拜天": "周日", "下周": "next_week", "星期日": "周日"}


def test_entities_have_the_place_of_the_plain_text() -> None:
    example = NluData.parse(GOOD).examples("reschedule")[3]
    assert example.text == "买红色的苹果"
    assert [(e.kind, example.text[e.start : e.end], e.value) for e in example.entities] == [
        ("colour", "红色", "红色"),
        ("product", "苹果", "苹果"),
    ]


def test_an_intent_called_yes_stays_a_word() -> None:
    assert NluData.parse(GOOD).intents[0] == "yes"


def test_examples_know_their_line_and_column() -> None:
    spot = NluData.parse(GOOD, "my.yml").examples("yes")[1].spot
    assert str(spot) == "my.yml:7:7"


def test_phrases_are_short_first_and_tidy() -> None:
    text = "nlu:\n- intent: a\n  examples: |\n    - 好的，没问题！\n    - 好\n- intent: b\n  examples: |\n    - 不\n"
    assert NluData.parse(text).phrases(["a"]) == ("好", "好的没问题")
    assert NluData.parse(text).phrases(["a", "b"], limit=2) == ("好", "不")
    assert NluData.parse(text).phrases(["nothing"]) == ()


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("nlu:\n- intent: a\n  examples: |\n    - 好[的\n", 4, 8, "the bracket '[' belongs to no entity"),
        ("nlu:\n- intent: a\n  examples: |\n    - [后天]()\n", 4, 7, "[后天] names no entity"),
        ('nlu:\n- intent: a\n  examples: |\n    - 在[后天]{"entity": }\n', 4, 12, "is not JSON"),
        ('nlu:\n- intent: a\n  examples: |\n    - [后天]{"entty": "x"}\n', 4, 11, "unknown key 'entty'"),
        ("nlu:\n- intent: a\n  examples: |\n    好的\n", 4, 5, "does not begin with a dash"),
        ("nlu:\n- intent: a\n  examples: |\n    -\n", 4, 5, "this example is empty"),
        ("nlu:\n- intent: a\n  examples: 好的\n", 3, 13, "examples: is not a block of lines"),
        ("nlu:\n- intent: a\n", 2, 3, "intent a has no examples"),
        ("nlu:\n- intnt: a\n  examples: |\n    - 好\n", 2, 3, "unknown key 'intnt'"),
        ("nlu:\n- intent: a b\n  examples: |\n    - 好\n", 2, 11, "'a b' cannot be an intent's name"),
        ("nlu:\n- intent: a\n  regex: b\n  examples: |\n    - 好\n", 2, 3, "this entry has intent and regex"),
        ("nlu: 3\n", 1, 6, "nlu: is not a list"),
        ("nlu:\n- 好\n", 2, 3, "this entry is not a mapping"),
        ("nlus: []\n", 1, 1, "unknown key 'nlus'"),
        ("- a\n", 1, 1, "the file has no key nlu:"),
        ("nlu:\n\t- intent: a\n", 2, 1, "a tab indents this line"),
        ("nlu：\n- intent: a\n", 1, 4, "a full-width colon ends this name"),
        ("nlu:\n- intent: a\n  intent: b\n  examples: |\n    - 好\n", 3, 3, "the key intent is written twice"),
        ("nlu:\n- regex: r\n  examples: |\n    - (a+)+$\n", 4, 7, "a repeat inside a repeat"),
        ("nlu:\n- regex: r\n  examples: |\n    - (a\n", 4, 7, "not a regular expression"),
    ],
)
def test_faults_name_place_and_reason(text: str, line: int, column: int, message: str) -> None:
    found = faults(text)
    assert any((line, column) == (at, col) and message in said for at, col, said in found), found


def test_every_fault_has_a_cure_in_its_text() -> None:
    with pytest.raises(NluError, match=r"my\.yml:2:3: unknown key 'intnt'\n    cure: did you mean intent\?"):
        NluData.parse("nlu:\n- intnt: a\n  examples: |\n    - 好\n", "my.yml")


def test_one_sentence_under_two_intents_is_a_fault() -> None:
    text = "nlu:\n- intent: a\n  examples: |\n    - 好的\n- intent: b\n  examples: |\n    - 好 的\n"
    assert faults(text) == [(7, 7, "'好 的' stands under b and under a (my.yml:4:7)")]


def test_an_alias_bomb_is_refused_at_once() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    assert faults("\n".join([*lines, "nlu: *a29", ""]))


def test_deep_nesting_is_refused() -> None:
    assert faults("nlu: " + "[" * 20_000)


def test_a_gbk_file_is_named_as_such(tmp_path: Path) -> None:
    file = tmp_path / "nlu.yml"
    file.write_bytes("nlu:\n- intent: a\n  examples: |\n    - 好的\n".encode("gbk"))
    with pytest.raises(BrokenData, match=r"nlu\.yml:4:7: the file is written in GBK"):
        NluData.load([file])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BrokenData, match=r"none\.yml:1:1: the file cannot be read: no such file"):
        NluData.load([tmp_path / "none.yml"])


def test_several_files_and_background_join(tmp_path: Path) -> None:
    (tmp_path / "nlu.zh.yml").write_text("nlu:\n- intent: a\n  examples: |\n    - 好\n", encoding="utf-8")
    (tmp_path / "more.yml").write_text("nlu:\n- intent: a\n  examples: |\n    - 行\n", encoding="utf-8")
    (tmp_path / "background.zh-CN.txt").write_text("# talk\n下雨了\n\n下雨了\n", encoding="utf-8")
    files = data_files(tmp_path, "zh-CN")
    assert [file.name for file in files] == ["nlu.zh.yml", "background.zh-CN.txt"]
    data = NluData.load([*files, tmp_path / "more.yml"])
    assert [example.text for example in data.examples("a")] == ["好", "行"]
    assert data.background == ("下雨了",)
