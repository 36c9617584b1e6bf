"""Numbers of seven and more digits are masked, whoever writes or speaks them how; nothing else is."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from agi_bot.privacy.digits import runs
from agi_bot.privacy.masking import Masker, kind_of, mask_text, mask_value

HAN = "零一二三四五六七八九"
ENGLISH = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
LONG = st.text("0123456789", min_size=7, max_size=19)
SHORT = st.text("0123456789", min_size=1, max_size=6)


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("我的手机是138-1234-5678谢谢", "13812345678"),
        ("号码幺三八，嗯，零零一三 八零零零", "13800138000"),
        ("卡号4111 1111 1111 1111吧", "4111111111111111"),
        ("身份证１１０１０１１９９００３０７１２３X", "11010119900307123X"),
        ("身份证一一零一零一一九九零零三零七一二三叉", "11010119900307123X"),
        ("two oh double seven triple five one two", "207755512"),
        ("it's one three eight and five six seven eight", "1385678"),
        ("(010) 6555-1234", "01065551234"),
        ("尾号三个八一二三四", "8881234"),
        ("thirteen eighty one two thirty four fifty six", "138123456"),
        ("138.1234.5678", "13812345678"),
        ("138.001.380.000", "138001380000"),
        ("138:0013:8000", "13800138000"),
        ("两〇幺三八八九", "2013889"),
        ("1️⃣3️⃣8️⃣1️⃣2️⃣3️⃣4️⃣", "1381234"),
    ],
)
def test_a_long_number_is_one_run_and_masked(text: str, digits: str) -> None:
    longest = max(runs(text), key=lambda run: len(run.digits))
    assert longest.digits == digits
    assert max((len(run.digits) for run in runs(mask_text(text))), default=0) < 7


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24 10:30到2026-11-28",
        "二零二六年十一月二十四号下午三点半",
        "11/24/2026 at 10:30",
        "余额12,345,678.90",
        "一共1234567元",
        "¥1234567.00",
        "一百二十三万四千五百六十七块",
        "订单123456",
        "朝阳路88号院3号楼2单元1501室邮编100020",
        "between ten thirty and eleven fifteen",
        "november twenty fourth twenty twenty six at three thirty",
        "one million two hundred thirty four thousand five hundred sixty seven dollars",
        "七个一组",
        "请拨打110、119、120",
        "192.168.100.200",
        "9:00-17:30",
        "有10:30、11:30、12:30三班",
        "13:05:59 / 14:06:00",
        "",
    ],
)
def test_dates_money_addresses_and_short_numbers_stay(text: str) -> None:
    assert mask_text(text) == text


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("13812345678，一共两个", "***********，一共两个"),
        ("13812345678，三点以后打", "***********，三点以后打"),
        ("13812345678，三号下午", "***********，三号下午"),
        ("13812345678，2026年", "***********，2026年"),
        ("幺三八一二三四五六七八一个", "***********一个"),
        ("138 1234 56 78号", "*** **** ** **号"),
        ("138 1234 5678这个号", "*** **** ****这个号"),
    ],
)
def test_what_is_said_behind_a_number_stays(text: str, hidden: str) -> None:
    assert mask_text(text) == hidden


@given(LONG)
def test_however_it_is_written(digits: str) -> None:
    full_width = digits.translate({ord("0") + n: chr(0xFF10 + n) for n in range(10)})
    for form in (digits, full_width, " ".join(digits), "".join(HAN[int(digit)] for digit in digits)):
        hidden = mask_text(f"号码是{form}吧")
        assert hidden.count("*") == len(digits)
        assert runs(hidden) == []
    assert mask_text(" ".join(ENGLISH[int(digit)] for digit in digits)).split() == ["*"] * len(digits)


@given(SHORT)
def test_six_digits_stay(digits: str) -> None:
    text = f"订单{digits}号"
    assert mask_text(text) == text


@given(st.text())
def test_masking_twice_changes_nothing_more(text: str) -> None:
    once = mask_text(text)
    assert mask_text(once) == once
    assert all(len(run.digits) < 7 for run in runs(once))


@given(LONG, st.data())
def test_spread_across_utterances(digits: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(3, len(digits) - 3), max_size=3)))
    pieces = [digits[a:b] for a, b in zip([0, *cuts], [*cuts, len(digits)], strict=True)]
    assume(not any(kind_of(piece) in ("phone", "id") for piece in pieces))
    masker = Masker()
    for piece in pieces:
        masker.hear(piece, "嗯")
    assert "".join(part.text for part in masker.finish()) == "*" * len(digits)


def test_what_is_certain_is_masked_at_once_and_the_rest_at_the_end() -> None:
    masker = Masker()
    said = [
        masker.hear(*turn)
        for turn in [("我的号码是幺三八", "请说"), ("嗯", ""), ("一二三四", "好的"), ("五六七八", "")]
    ]
    assert said == ["我的号码是幺三八", "嗯", "****", "****"]
    assert [part.text for part in masker.finish()] == ["我的号码是***", "嗯", "****", "****"]


@pytest.mark.parametrize(
    "turns",
    [
        [("一二三四五六", "订单号是多少？"), ("2", "要几件？"), ("五零一", "哪个房间？")],
        [("四百", "多少钱？"), ("1234", "尾号？")],
        [("123456", "订单号？"), ("123456", "没听清，订单号是多少？")],
    ],
)
def test_answers_to_several_questions_are_no_number(turns: list[tuple[str, str]]) -> None:
    masker = Masker()
    for text, between in turns:
        masker.hear(text, between)
    assert [part.text for part in masker.finish()] == [text for text, _ in turns]


def test_an_order_number_before_a_telephone_number_stays() -> None:
    masker = Masker()
    masker.hear("123456", "订单号是多少？")
    masker.hear("13812345678", "好的")
    masker.hear("2", "要几件？")
    assert [part.text for part in masker.finish()] == ["123456", "*" * 11, "2"]


def test_a_piece_that_the_bot_repeats_goes_on() -> None:
    masker = Masker()
    masker.hear("8765", "您的会员号？")
    masker.hear("4321", "八七六五，对吗？")
    assert [part.text for part in masker.finish()] == ["****", "****"]


@pytest.mark.parametrize(
    ("digits", "kind"),
    [
        ("11010519491231002X", "id"),
        ("110105194912310021", "number"),
        ("4111111111111111", "card"),
        ("4111111111111112", "number"),
        ("13812345678", "phone"),
        ("8613812345678", "phone"),
        ("4008123123", "phone"),
        ("1234567", "number"),
    ],
)
def test_checksums_only_label(digits: str, kind: str) -> None:
    assert kind_of(digits) == kind
    assert mask_text(digits) == "*" * len(digits)


def test_values() -> None:
    assert mask_value("13812345678") == "***********"
    assert mask_value(13812345678) == "***********"
    assert mask_value(123456) == 123456
    assert mask_value(True) is True
    assert mask_value(Decimal("1234567.5")) == Decimal("1234567.5")
    assert mask_value(date(2026, 11, 24)) == date(2026, 11, 24)
