"""What the tables cannot show: places, several values, denials, clocks, nothing found, any text at all."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agi_bot.contracts import Context, Value
from agi_bot.nlu import NluData
from agi_bot.nlu.entities import KINDS, finder
from agi_bot.nlu.finder import EntityFinder
from agi_bot.nlu.normal import tidy

NOW = datetime.fromisoformat("2026-11-24T09:30:00+08:00")


def find(language: str, text: str, kind: str, now: datetime = NOW) -> list[Value]:
    return [found.value for found in finder(language)(tidy(text).text, kind, now)]


def entities(
    text: str, wanted: dict[str, str], language: str = "zh-CN", data: str = "nlu: []"
) -> list[tuple[str, Value, str]]:
    found = EntityFinder(NluData.parse(data), language).find(text, Context(language, NOW, wanted=wanted))
    assert all(text[e.start : e.end] == e.text for e in found)
    return [(e.kind, e.value, e.text) for e in found]


def test_two_slots_get_two_numbers() -> None:
    wanted = {"high": "number", "low": "number"}
    assert entities("高压一百三低压八十五", wanted) == [("number", 130, "一百三"), ("number", 85, "八十五")]
    assert entities("one thirty over eighty five", wanted, "en") == [
        ("number", 130, "one thirty"),
        ("number", 85, "eighty five"),
    ]


def test_one_slot_gets_the_last_number() -> None:
    assert entities("先说三十哦不五十", {"age": "number"}) == [("number", 50, "五十")]


def test_different_slots_are_filled_at_once() -> None:
    found = entities("后天下午三点来两个人", {"when": "datetime", "how_many": "number"})
    assert ("datetime", datetime(2026, 11, 26, 15, tzinfo=NOW.tzinfo), "后天下午三点") in found
    assert ("number", 2, "两个") in found or ("number", 2, "两") in found


def test_places_are_those_of_the_text_as_it_came() -> None:
    assert entities("嗯， 后 天 下午，三 点。", {"when": "datetime"})[0][2] == "后 天 下午，三 点"


def test_text_slots_get_the_whole_utterance() -> None:
    assert entities(" 我叫王小明 ", {"name": "text"}) == [("text", "我叫王小明", "我叫王小明")]


@pytest.mark.parametrize(
    ("language", "text", "kind"),
    [
        ("zh-CN", "等一下", "number"),
        ("zh-CN", "一般般吧", "number"),
        ("zh-CN", "我一定去", "number"),
        ("zh-CN", "千万别打了", "number"),
        ("zh-CN", "十分感谢", "number"),
        ("zh-CN", "我没空", "datetime"),
        ("zh-CN", "明天没空", "datetime"),
        ("zh-CN", "后天不行", "date"),
        ("zh-CN", "不要三点", "time"),
        ("zh-CN", "三十一月四十号", "date"),
        ("zh-CN", "二月三十号", "date"),
        ("zh-CN", "农历三月初一", "date"),
        ("zh-CN", "二零二七年二月二十九号", "date"),
        ("zh-CN", "二十五点", "time"),
        ("zh-CN", "好的", "phone"),
        ("zh-CN", "一一零一零一一九九零零三零七八八八九", "id"),
        ("en", "the third one", "time"),
        ("en", "tomorrow is no good", "date"),
        ("en", "i can't on friday", "date"),
        ("en", "in half a year", "time"),
        ("en", "february thirtieth", "date"),
        ("en", "no", "number"),
        ("en", "hello there", "money"),
        ("en", "a cat", "id"),
    ],
)
def test_nothing_is_found_where_nothing_is_meant(language: str, text: str, kind: str) -> None:
    assert find(language, text, kind) == []


@pytest.mark.parametrize(
    ("language", "text", "kind", "now", "value"),
    [
        ("zh-CN", "今天三点", "datetime", "2026-11-24T16:00", datetime(2026, 11, 24, 15)),
        ("zh-CN", "今天八点", "datetime", "2026-11-24T07:00", datetime(2026, 11, 24, 8)),
        ("zh-CN", "今晚十二点", "datetime", "2026-12-31T20:00", datetime(2027, 1, 1)),
        ("zh-CN", "三十一号", "date", "2026-11-24T09:30", date(2026, 12, 31)),
        ("zh-CN", "二月二十九号", "date", "2026-11-24T09:30", date(2028, 2, 29)),
        ("zh-CN", "月底", "date", "2028-02-03T09:30", date(2028, 2, 29)),
        ("zh-CN", "一个月以后", "date", "2027-01-31T09:30", date(2027, 2, 28)),
        ("zh-CN", "星期一", "date", "2026-11-23T09:30", date(2026, 11, 30)),
        ("zh-CN", "这周一", "date", "2026-11-23T09:30", date(2026, 11, 23)),
        ("zh-CN", "下周日", "date", "2026-11-29T09:30", date(2026, 12, 6)),
        ("zh-CN", "两个小时后", "time", "2026-11-24T23:00", time(1, 0)),
        ("zh-CN", "两个小时后", "date", "2026-11-24T23:00", date(2026, 11, 25)),
        ("zh-CN", "昨天", "date", "2026-11-24T09:30", date(2026, 11, 23)),
        ("zh-CN", "上周五", "date", "2026-11-24T09:30", date(2026, 11, 20)),
        ("zh-CN", "十二月底", "date", "2026-11-24T09:30", date(2026, 12, 31)),
        ("zh-CN", "十二月四号，星期五", "date", "2026-11-24T09:30", date(2026, 12, 4)),
        ("en", "last friday", "date", "2026-11-24T09:30", date(2026, 11, 20)),
        ("en", "two days ago", "date", "2026-11-24T09:30", date(2026, 11, 22)),
        ("en", "two days from tomorrow", "date", "2026-11-24T09:30", date(2026, 11, 27)),
        ("en", "the first friday of next month", "date", "2026-11-24T09:30", date(2026, 12, 4)),
        ("en", "next monday", "date", "2026-11-29T09:30", date(2026, 11, 30)),
        ("en", "in an hour", "datetime", "2026-12-31T23:30", datetime(2027, 1, 1, 0, 30)),
        ("en", "the thirty first", "date", "2026-11-24T09:30", date(2026, 12, 31)),
    ],
)
def test_the_clock_decides(language: str, text: str, kind: str, now: str, value: Value) -> None:
    assert find(language, text, kind, datetime.fromisoformat(now)) == [value]


@pytest.mark.parametrize(
    ("language", "text", "value"),
    [
        ("zh-CN", "三点到四点都行", time(15)),
        ("zh-CN", "两点或者三点", time(14)),
        ("en", "from three to four", time(15)),
        ("en", "two or three o'clock", time(14)),
    ],
)
def test_of_a_range_the_first_counts(language: str, text: str, value: time) -> None:
    assert find(language, text, "time") == [value]


def test_points_in_time_carry_the_zone_of_the_call() -> None:
    (moment,) = find("zh-CN", "明天三点", "datetime")
    assert isinstance(moment, datetime)
    assert moment.utcoffset() == NOW.utcoffset()


def test_a_lone_half_of_a_datetime_is_of_its_own_kind() -> None:
    assert entities("后天吧", {"when": "datetime"}) == [("date", date(2026, 11, 26), "后天")]
    assert entities("下午三点", {"when": "datetime"}) == [("time", time(15), "下午三点")]


DATA = """\
nlu:
- intent: buy
  examples: |
    - 买[苹果](product)
    - i want [apple](fruit)
- lookup: product
  examples: |
    - 香蕉
    - iPhone 15
- synonym: 香蕉
  examples: |
    - 芭蕉
- regex: order
  examples: |
    - [a-z]\\d{4}
"""


@pytest.mark.parametrize(
    ("text", "wanted", "found"),
    [
        ("来点香蕉吧", "product", [("product", "香蕉", "香蕉")]),
        ("来点 芭 蕉", "product", [("product", "香蕉", "芭 蕉")]),
        ("苹果", "product", [("product", "苹果", "苹果")]),
        ("我的IPHONE 15坏了", "product", [("product", "iphone 15", "IPHONE 15")]),
        ("pineapples", "fruit", []),
        ("单号A1234", "order", [("order", "a1234", "A1234")]),
        ("来点香蕉", "order", []),
        ("来点香蕉", "nothing_known", []),
    ],
)
def test_entities_of_the_data(text: str, wanted: str, found: list[tuple[str, Value, str]]) -> None:
    assert entities(text, {"slot": wanted}, data=DATA) == found


def test_digits_keep_leading_zeros() -> None:
    assert find("zh-CN", "尾号零零八八", "digits") == ["0088"]
    assert find("en", "it ends in oh oh double eight", "digits") == ["0088"]


@pytest.mark.parametrize(
    ("language", "text", "kind", "value"),
    [
        ("zh-CN", "一万零十二", "number", 10012),
        ("zh-CN", "5万4千6百", "number", 54600),
        ("zh-CN", "3万4000", "number", 34000),
        ("zh-CN", "一千多万", "number", 10_000_000),
        ("zh-CN", "十分", "number", 10),
        ("zh-CN", "我打十分吧", "number", 10),
        ("zh-CN", "五分之一", "number", Decimal("0.2")),
        ("zh-CN", "三分之一", "percent", Decimal("33.33")),
        ("zh-CN", "三成半", "percent", 35),
        ("zh-CN", "打八折", "percent", 80),
        ("zh-CN", "七五折", "percent", 75),
        ("en", "half a dozen", "number", 6),
        ("en", "a million and a half", "number", 1_500_000),
        ("en", "3 hundred and 21", "number", 321),
        ("en", "fifteen dollars and fifty", "money", Decimal("15.5")),
    ],
)
def test_values_beside_the_tables(language: str, text: str, kind: str, value: Value) -> None:
    assert find(language, text, kind) == [value]


@pytest.mark.parametrize(
    ("language", "text", "values"),
    [
        ("en", "one in ten", [10]),
        ("en", "two out of five", [40]),
        ("en", "one in zero", []),
        ("en", "one out of oh", []),
        ("zh-CN", "零分之一", []),
    ],
)
def test_a_share_of_nothing_is_no_share(language: str, text: str, values: list[Value]) -> None:
    assert find(language, text, "percent") == values


def test_money_is_a_whole_number_or_a_decimal() -> None:
    assert find("zh-CN", "三块五", "money") == [Decimal("3.5")]
    assert find("zh-CN", "三百块", "money") == [300]


PIECES = (
    "零 一 二 两 三 十 百 千 万 亿 点 半 分 块 毛 成 号 月 年 日 周 星期 礼拜 上午 下午 晚上 今天 后天 下 个 过 差 刻 "
    "不是 到 或者 百分之 负 度 幺 加 + - . : 12 3 half past to quarter three twenty hundred thousand point and a the "
    "of next monday tomorrow in hour minutes from now december first double oh dollars cents percent a m p m not %"
)
WORDS = st.sampled_from(PIECES.split())


@settings(max_examples=300, deadline=None)
@given(
    st.lists(WORDS, max_size=14), st.sampled_from(KINDS), st.sampled_from(["zh-CN", "en"]), st.sampled_from(["", " "])
)
def test_no_sentence_breaks_a_grammar(words: list[str], kind: str, language: str, blank: str) -> None:
    plain = tidy(blank.join(words)).text
    for found in finder(language)(plain, kind, NOW):
        assert 0 <= found.start < found.end <= len(plain)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60), st.sampled_from(KINDS), st.sampled_from(["zh-CN", "en"]))
def test_no_text_breaks_the_finder(text: str, kind: str, language: str) -> None:
    for entity in EntityFinder(NluData(), language).find(text, Context(language, NOW, wanted={"slot": kind})):
        assert text[entity.start : entity.end] == entity.text
