"""What is said for every value and text of the tables in tests/data/spoken."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agi_bot.contracts import Value
from agi_bot.spoken import KINDS, say_value, speakable

DATA = Path(__file__).parents[1] / "data" / "spoken"
NOW = datetime(2026, 11, 18, 10, 0, tzinfo=timezone(timedelta(hours=8)))


def table(language: str) -> list[tuple[str, str, str, datetime | None]]:
    lines = (DATA / f"{language}.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return [(row[0], row[1], row[2], None if row[3:] == ["-"] else NOW) for row in rows]


@pytest.mark.parametrize(("kind", "value", "words", "now"), table("zh"))
def test_mandarin(kind: str, value: str, words: str, now: datetime | None) -> None:
    assert say_value(value, kind, "zh-CN", now) == words


@pytest.mark.parametrize(("kind", "value", "words", "now"), table("en"))
def test_english(kind: str, value: str, words: str, now: datetime | None) -> None:
    assert say_value(value, kind, "en", now) == words


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_table_covers_every_kind_and_is_long_enough(language: str) -> None:
    rows = table(language)
    assert len(rows) >= 150
    assert {row[0] for row in rows} == set(KINDS)
    assert len({(*row[:2], row[3]) for row in rows}) == len(rows)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_saying_words_again_changes_nothing(language: str) -> None:
    for kind, value, words, _ in table(language):
        assert speakable(words, language) == words, (kind, value)


@pytest.mark.parametrize(
    ("value", "kind", "zh", "en"),
    [
        (Decimal("2350"), "money", "两千三百五十元", "two thousand three hundred fifty dollars"),
        (12.5, "money", "十二元五角", "twelve dollars and fifty cents"),
        (3, "number", "三", "three"),
        (True, "number", "是", "yes"),
        (False, "text", "否", "no"),
        (date(2026, 11, 20), "date", "后天", "the day after tomorrow"),
        (time(15, 30), "time", "下午三点半", "three thirty PM"),
        (datetime(2026, 11, 20, 15, 0), "datetime", "后天下午三点", "the day after tomorrow at three PM"),
        (datetime(2026, 11, 20, 7, 0, tzinfo=UTC), "time", "下午三点", "three PM"),
        (date(2026, 11, 20), "datetime", "后天", "the day after tomorrow"),
        (date(2026, 11, 20), "whatever", "后天", "the day after tomorrow"),
        (7, "whatever", "七", "seven"),
        ("next week", "date", "next week", "next week"),
        ("about 5", "number", "about 五", "about five"),
        ("m²3", "code", "M ² 三", "M ² three"),
        (
            13812345678,
            "phone",
            "幺三八，幺二三四，五六七八",
            "one three eight, one two three four, five six seven eight",
        ),
    ],
)
def test_python_values(value: Value, kind: str, zh: str, en: str) -> None:
    assert say_value(value, kind, "zh-CN", NOW) == zh
    assert say_value(value, kind, "en-US", NOW) == en


def test_a_language_that_is_not_known_is_left_alone() -> None:
    assert say_value(5, "number", "fr") == "5"
    assert speakable("5 %", "fr") == "5 %"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_minute_and_day_is_said_without_digits(language: str) -> None:
    for minute in range(24 * 60):
        said = say_value(time(minute // 60, minute % 60), "time", language, NOW)
        assert said
        assert not any(char.isdigit() for char in said)
    for days in range(-400, 800):
        said = say_value(NOW.date() + timedelta(days), "date", language, NOW)
        assert not any(char.isdigit() and char.isascii() for char in said)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_different_days_and_times_are_said_differently(language: str) -> None:
    times = {say_value(time(m // 60, m % 60), "time", language, NOW) for m in range(24 * 60)}
    assert len(times) == 24 * 60
    days = {say_value(NOW.date() + timedelta(n), "date", language, NOW) for n in range(-300, 800)}
    assert len(days) == 1100


@given(st.text(max_size=80), st.sampled_from(["zh-CN", "en"]))
def test_any_text_can_be_said_and_keeps_no_ascii_digit(text: str, language: str) -> None:
    said = speakable(text, language)
    assert not any(char in "0123456789" for char in said)


@given(st.text(alphabet="0123456789-+/:.,%¥$AB 年月日点第元个电话", max_size=30), st.sampled_from(["zh-CN", "en"]))
def test_any_jumble_of_digits_can_be_said(text: str, language: str) -> None:
    assert not any(char in "0123456789" for char in speakable(text, language))


@given(
    st.one_of(
        st.decimals(allow_nan=True), st.floats(), st.integers(), st.text(max_size=20), st.datetimes(), st.booleans()
    ),
    st.sampled_from(KINDS),
    st.sampled_from(["zh", "en"]),
)
def test_no_value_of_any_kind_fails(value: Value, kind: str, language: str) -> None:
    assert isinstance(say_value(value, kind, language, NOW), str)
