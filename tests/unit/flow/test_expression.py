# ruff: noqa: E501 - flows and conditions are easier to read in one line
"""Conditions: what they can say, what they refuse, and that they never explode."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agi_bot.contracts import Value
from agi_bot.flow.evaluation import Scope, evaluate, holds
from agi_bot.flow.expression import parse_expression

from .talking import CHINA, NOW

SLOTS: dict[str, Value] = {
    "amount": Decimal("1500.50"), "days_late": 12, "level": "high", "ok": True, "rate": 0.1,
    "day": date(2026, 11, 26), "at": datetime(2026, 11, 26, 15, tzinfo=CHINA), "bare": datetime(2026, 11, 24, 10),
    "clock": time(15, 0), "phone": "13800138000", "金额": 3,
}  # fmt: skip


def is_true(text: str, moods: frozenset[str] = frozenset()) -> bool:
    return holds(parse_expression(text), Scope(SLOTS, NOW, moods, "太贵了"))


@pytest.mark.parametrize(
    "text",
    [
        "amount > 1500", "amount == 1500.5", "1000 < amount <= 1500.50", "days_late >= 7 and level == 'high'",
        "not (level == 'low' or days_late < 3)", "level in ['high', 'middle']", "level not in ('low',)", "ok",
        "at > now", "bare > now", "day > today", "day - today == days(2)", "at < now + days(3)", "today + days(2) == day",
        "at > today", "weekday(day) == 4", "hour(at) == 15", "date(at) == day", "time(at) == clock", "filled(level)",
        "not filled(nothing)", "not nothing > 3", "not (nothing == 'x')", "amount * rate > 150", "-amount < 0",
        "length(phone) == 11", "last(phone, 4) == '8000'", "contains(said, '贵')", "lower('ABC') == 'abc'",
        "round(amount) == 1500", "max(amount, 2000) == 2000", "min(3, 5) == 3", "days_late % 5 == 2", "金额 == 3",
        "amount / 2 == 750.25", "at - now > hours(48)", "amount != 3", "caller is not hesitant",
    ],
)  # fmt: skip
def test_true(text: str) -> None:
    assert is_true(text)


@pytest.mark.parametrize(
    "text",
    ["amount > 2000", "nothing", "nothing > 3", "nothing != 3", "level > 3", "caller is hesitant", "1 / 0 > 0",
     "level + 1 == 2", "at > 5", "weekday(level) == 1", "days(10) * days(10) > days(1)", "amount > level", "5 in level"],
)  # fmt: skip
def test_not_true(text: str) -> None:
    assert not is_true(text)


def test_moods() -> None:
    assert is_true("caller is hesitant and amount > 1", frozenset({"hesitant"}))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("amount >", "is not a condition"),
        ("a.b", "not allowed"),
        ("a[0]", "not allowed"),
        ("__import__('os')", "no function"),
        ("a if b else c", "not allowed"),
        ("lambda: 1", "not allowed"),
        ("[x for x in y]", "not allowed"),
        ("f'{a}'", "not allowed"),
        ("2 ** 9999", "not allowed"),
        ("a @ b", "not allowed"),
        ("~a", "not allowed"),
        ("b'x' == a", "not allowed"),
        ("None == a", "not allowed"),
        ("days()", "takes 1"),
        ("days(n=1)", "not allowed"),
        ("a is b", "caller is hesitant"),
        ("caller == 'x'", "caller is hesitant"),
        ("(a := 1)", "not allowed"),
        ("x" * 400, "characters"),
        ("(" * 200, "is not a condition"),
        ("a;b", "is not a condition"),
        ("a == 1or b", "is not a condition"),
        ("", "is not a condition"),
        ("\x00", "is not a condition"),
    ],
)
def test_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_expression(text)


def test_names() -> None:
    assert parse_expression("a > b and filled(c) and now > today").names == ("a", "b", "c")


def test_numbers_stay_small() -> None:
    text = "*".join(["9999999999999999"] * 15)
    assert len(str(evaluate(parse_expression(text), Scope({}, NOW)))) < 40


@given(st.text(alphabet="ab1+-*/%()[]<>=!.,'\" andorntifsw", max_size=40))
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    try:
        expression = parse_expression(text)
    except ValueError:
        return
    evaluate(expression, Scope({"a": Decimal(3), "b": "x"}, NOW))
