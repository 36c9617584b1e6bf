# ruff: noqa: E501, PT017 - tables are easier to read in long lines
"""Templates, values and the filling of slots, one by one."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agi_bot.contracts import Entity, Value
from agi_bot.flow import TaskError, load_text
from agi_bot.flow.filling import Filled, answered_ahead, fill, from_keys, wanted_entities
from agi_bot.flow.parts import Slot, Wording
from agi_bot.flow.template import Piece, parse_template, protected_pieces
from agi_bot.flow.values import KINDS, read_value
from agi_bot.flow.wording import choose, kind_of, raw_text, spans

from .talking import CHINA, MINIMAL, NOW


class TestTemplates:
    def test_pieces(self) -> None:
        pieces = parse_template("您好，{name}，{{x}} {code|digits}。").pieces
        assert pieces == (
            Piece("您好，"),
            Piece("{name}", slot="name"),
            Piece("，{x} "),
            Piece("{code|digits}", slot="code", kind="digits"),
            Piece("。"),
        )

    @pytest.mark.parametrize("text", ["{", "}", "{}", "{a b}", "{a.b}", "{a!r}", "{a:>9}", "{0}", "{a|}", "{{{"])
    def test_what_is_no_template(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"slot|lone"):
            parse_template(text)

    @given(st.text(max_size=40))
    def test_any_text_is_a_template_or_refused(self, text: str) -> None:
        try:
            template = parse_template(text)
        except ValueError:
            return
        assert "".join(piece.text for piece in template.pieces) == text.replace("{{", "{").replace("}}", "}")

    @given(st.text(max_size=30))
    def test_a_value_is_never_a_template(self, value: str) -> None:
        assert raw_text("<{x}>", {"x": value, "y": "secret"}) == f"<{value}>"

    def test_protection_cuts_fixed_text_and_covers_slots(self) -> None:
        pieces = protected_pieces("您好，{name}，本次通话会被录音。", ("{name}，本次通话",))
        assert [(piece.text, piece.protected) for piece in pieces] == [
            ("您好，", False), ("{name}", True), ("，本次通话", True), ("会被录音。", False)
        ]  # fmt: skip

    def test_protection_of_every_occurrence(self) -> None:
        pieces = protected_pieces("录音，是录音。", ("录音",))
        assert [piece.text for piece in pieces if piece.protected] == ["录音", "录音"]

    def test_spans_say_values_by_kind(self) -> None:
        made = spans("{at}，{n}，{nothing}", (), {"at": NOW, "n": 3}, {"at": "datetime"}, "zh-CN", NOW)
        assert [(span.text, span.fixed) for span in made] == [
            ("今天上午九点", False), ("，", True), ("三", False), ("，", True)
        ]  # fmt: skip

    def test_digits_that_an_author_writes_are_said(self) -> None:
        (span,) = spans("请在8点前到3楼", (), {}, {}, "zh-CN", NOW)
        assert not any(sign.isdigit() and sign.isascii() for sign in span.text)
        assert span.fixed


class TestWordings:
    def test_in_turn(self) -> None:
        wording = Wording(texts=("a", "b", "c"))
        assert [choose(wording, turn, "x") for turn in range(4)] == [0, 1, 2, 0]

    def test_an_ab_test_is_even(self) -> None:
        wording = Wording(texts=("a", "b"), names=("A", "B"))
        share = sum(choose(wording, 0, f"call-{number}") for number in range(2000)) / 2000
        assert 0.45 < share < 0.55


class TestValues:
    @pytest.mark.parametrize(
        ("raw", "kind", "value"),
        [
            ("张伟", "text", "张伟"), (5, "text", "5"), (3, "number", 3), ("2.5", "number", 2.5), ("1,200", "integer", 1200),
            (199.9, "money", Decimal("199.9")), ("199.90", "money", Decimal("199.90")), (3.5, "percent", Decimal("3.5")),
            ("2026-11-24", "date", date(2026, 11, 24)), ("10:00", "time", time(10)), (True, "boolean", True),
            ("false", "boolean", False), ("2026-11-24T10:00", "datetime", datetime(2026, 11, 24, 10)),
            ("2026-11-24T10:00+08:00", "datetime", datetime(2026, 11, 24, 10, tzinfo=CHINA)),
            ("138 0013-8000", "phone", "13800138000"), ("+8613800138000", "phone", "+8613800138000"),
            ("11010119900307888X", "id", "11010119900307888X"), ("0088", "digits", "0088"), ("高一", "choice", "高一"),
        ],
    )  # fmt: skip
    def test_read(self, raw: object, kind: str, value: Value) -> None:
        assert read_value(raw, kind) == value

    @pytest.mark.parametrize(
        ("raw", "kind"),
        [
            (None, "text"), ([1], "text"), ({}, "text"), (True, "text"), ("x" * 600, "text"), ("a\x00b", "text"),
            ("drei", "number"), (True, "number"), ("NaN", "money"), ("Infinity", "money"), ("1e99", "number"),
            ("2.5", "integer"), ("24.11.2026", "date"), ("2026-11-24", "datetime"), ("25:00", "time"),
            ("ja", "boolean"), ("abc", "phone"), ("12", "phone"), ("#", "id"), ("12a", "digits"), (1.5, "digits"),
        ],
    )  # fmt: skip
    def test_refused_with_an_example(self, raw: object, kind: str) -> None:
        with pytest.raises(ValueError, match="write it like"):
            read_value(raw, kind)

    @given(st.one_of(st.text(), st.integers(), st.floats(), st.none(), st.booleans()), st.sampled_from(sorted(KINDS)))
    def test_anything_is_a_value_or_refused(self, raw: object, kind: str) -> None:
        try:
            read_value(raw, kind)
        except ValueError as error:
            assert len(str(error)) < 200

    def test_kind_of_a_value(self) -> None:
        values: list[Value] = [True, 3, Decimal(2), NOW, NOW.date(), time(3), "x"]
        assert [kind_of(value) for value in values] == [
            "boolean", "number", "number", "datetime", "date", "time", "text"
        ]  # fmt: skip

    def test_a_task_with_several_faults_tells_them_all(self) -> None:
        task = "task: {n: integer, d: {type: date, required: false}, c: {choices: [a, b]}, t: text}\n"
        flow = load_text(MINIMAL + task)
        with pytest.raises(TaskError) as caught:
            flow.read_task({"n": "x", "c": "z", "extra": 1})
        assert len(caught.value.problems) == 4
        assert flow.read_task({"n": "3", "c": "a", "t": "{x}"}) == {"n": 3, "c": "a", "t": "{x}"}


def filled(slots: dict[str, Slot], *entities: Entity, heard: str = "", known: dict[str, Value] | None = None) -> Filled:
    return fill(slots, entities, heard, known or {}, {}, NOW)


AT = {"at": Slot(type="datetime")}
DAY = Entity("date", date(2026, 11, 26), "后天")


class TestFilling:
    def test_what_is_wanted(self) -> None:
        slots = {
            kind: Slot(type=kind) for kind in ("integer", "percent", "digits", "text", "boolean", "choice", "product")
        }
        assert wanted_entities(slots) == {
            "integer": "number", "percent": "number", "digits": "digits", "product": "product"
        }  # fmt: skip
        assert set(answered_ahead(slots)) == {"text", "boolean", "choice", "product"}

    def test_day_and_time_make_a_moment_in_the_zone_of_the_call(self) -> None:
        found = filled(AT, Entity("time", time(15), "下午三点"), DAY)
        assert found.values == {"at": datetime(2026, 11, 26, 15, tzinfo=CHINA)}

    @pytest.mark.parametrize(
        ("said", "clock", "hour"),
        [
            ("四点", time(4), 16),
            ("上午四点", time(4), 4),
            ("at ten", time(10), 22),
            ("ten am", time(10), 10),
            ("16点", time(16), 16),
        ],
    )
    def test_a_lone_time_corrects_in_the_same_half_of_the_day(self, said: str, clock: time, hour: int) -> None:
        known: dict[str, Value] = {"at": datetime(2026, 11, 26, 15, tzinfo=CHINA)}
        found = filled(AT, Entity("time", clock, said), known=known)
        assert found.values == {"at": datetime(2026, 11, 26, hour, tzinfo=CHINA)}

    def test_a_lone_day_keeps_the_time(self) -> None:
        known: dict[str, Value] = {"at": datetime(2026, 11, 25, 15, tzinfo=CHINA)}
        assert filled(AT, DAY, known=known).values == {"at": datetime(2026, 11, 26, 15, tzinfo=CHINA)}

    def test_halves(self) -> None:
        assert filled(AT, DAY).halves == {"at": date(2026, 11, 26)}
        assert filled(AT, Entity("time", time(9), "九点")).halves == {"at": time(9)}

    def test_a_datetime_fills_a_date_and_a_time(self) -> None:
        moment = Entity("datetime", datetime(2026, 11, 26, 15), "后天下午三点")
        assert filled({"d": Slot(type="date")}, moment).values == {"d": date(2026, 11, 26)}
        assert filled({"t": Slot(type="time")}, moment).values == {"t": time(15)}

    def test_wrong_kinds_fill_nothing(self) -> None:
        wrong = [Entity("money", Decimal(5), "五块"), Entity("number", 2.5, "两个半"), Entity("phone", "123", "123")]
        assert filled({"n": Slot(type="integer")}, *wrong).values == {}
        assert filled({"p": Slot(type="phone", length=11)}, *wrong).values == {}

    def test_values_are_not_compared(self) -> None:
        said = [Entity("number", number, "") for number in (Decimal("sNaN"), 3)]
        assert filled({"n": Slot(type="integer")}, *said).values == {"n": 3}

    def test_the_longest_word_of_a_choice_wins(self) -> None:
        spec = Slot(type="choice", choices={"大": ("大的",), "特大": ("特大的",)})
        assert filled({"s": spec}, heard="我要特大的").values == {"s": "特大"}
        assert filled({"s": spec}, heard="随便").values == {}

    @pytest.mark.parametrize(
        ("runs", "length", "value"),
        [
            (["0230"], None, "0230"), (["1", "0230"], None, "0230"), (["0230", "1"], None, "0230"), (["1"], None, None),
            (["1234", "1235"], None, "1235"), (["0230", "55"], 4, "0230"), (["023"], 4, None), (["7"], 1, "7"),
        ],
    )  # fmt: skip
    def test_the_run_of_digits_that_is_the_code(self, runs: list[str], length: int | None, value: str | None) -> None:
        entities = [Entity("digits", run, run) for run in runs]
        found = filled({"code": Slot(type="digits", length=length)}, *entities).values.get("code")
        assert found == value

    def test_two_codes_in_their_order(self) -> None:
        slots = {"card": Slot(type="digits", length=4), "pin": Slot(type="digits")}
        entities = [Entity("digits", run, run) for run in ("0042", "112233")]
        assert filled(slots, *entities).values == {"card": "0042", "pin": "112233"}

    @pytest.mark.parametrize(
        ("kind", "keys", "value"),
        [("digits", "0420#", "0420"), ("integer", "12#", 12), ("money", "19*9#", Decimal("19.9")), ("phone", "12", None),
         ("digits", "#", None), ("id", "1*", None)],
    )  # fmt: skip
    def test_keys(self, kind: str, keys: str, value: Value | None) -> None:
        assert from_keys(Slot(type=kind), keys) == value

    def test_keys_of_a_fixed_length(self) -> None:
        assert from_keys(Slot(type="digits", length=4), "123") is None
        assert from_keys(Slot(type="digits", length=4), "1234") == "1234"
