"""The dialogue: values that are collected."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal

import pytest

from agi_bot.contracts import Entity, Intent, Transcript
from agi_bot.flow import Dialogue
from agi_bot.flow.events import (
    Heard,
    Keyed,
)

from .talking import CHINA, MINIMAL, heard, listens, said, started

THURSDAY_3PM = datetime(2026, 11, 26, 15, 0, tzinfo=CHINA)


COLLECT = """\
flow: f
task: {limit: {type: money, default: 100}}
start: a
steps:
  a:
    ask: 请说
    collect: {COLLECT}
    next: b
  b: {say: 再见, end: done}
"""


def collecting(spec: str) -> Dialogue:
    talk, _ = started(COLLECT.replace("{COLLECT}", spec))
    return talk


class TestCollecting:
    def test_date_and_time_in_two_answers(self) -> None:
        talk = collecting("{at: datetime}")
        assert said(talk.receive(heard("后天", date=date(2026, 11, 26)))) == "是几点钟呢？"
        talk.receive(heard("三点", time=time(15)))
        assert talk.slots == {"at": THURSDAY_3PM}

    def test_time_first_then_the_day(self) -> None:
        talk = collecting("{at: datetime}")
        assert said(talk.receive(heard("三点", time=time(15)))) == "是哪一天呢？"
        talk.receive(heard("后天", date=date(2026, 11, 26)))
        assert talk.slots == {"at": THURSDAY_3PM}

    def test_several_slots_are_asked_one_by_one(self) -> None:
        talk = collecting("{day: {type: date, ask: 哪天？}, people: {type: integer, ask: 几位？}}")
        assert said(talk.receive(heard("周四", date=date(2026, 11, 26)))) == "几位？"
        talk.receive(heard("两位", number=2))
        assert talk.slots == {"day": date(2026, 11, 26), "people": 2}

    def test_both_slots_in_one_answer(self) -> None:
        talk = collecting("{day: date, people: integer}")
        talk.receive(heard("周四两位", date=date(2026, 11, 26), number=2))
        assert talk.ended

    def test_two_slots_of_one_kind_take_the_entities_in_order(self) -> None:
        talk = collecting("{since: date, until: date}")
        first, last = date(2026, 11, 26), date(2026, 11, 28)
        both = Intent("", 0, (Entity("date", first, "周四"), Entity("date", last, "周六")))
        talk.receive(Heard(both, Transcript("周四到周六", final=True)))
        assert talk.slots == {"since": first, "until": last}

    @pytest.mark.parametrize(("said_words", "value"), [("我要高一的", "高一"), ("高中二年级", "高二")])
    def test_choices_by_their_words(self, said_words: str, value: str) -> None:
        talk = collecting("{grade: {type: choice, choices: {高一: [高中一年级], 高二: [高中二年级]}}}")
        talk.receive(heard(said_words))
        assert talk.slots == {"grade": value}

    def test_an_english_choice_is_a_whole_word(self) -> None:
        talk = collecting("{size: {type: choice, choices: {art: [], smart: []}}}")
        talk.receive(heard("the smart one"))
        assert talk.slots == {"size": "smart"}

    def test_yes_and_no_fill_a_boolean(self) -> None:
        talk = collecting("{fasting: boolean}")
        talk.receive(heard("没有", "deny"))
        assert talk.slots == {"fasting": False}

    def test_free_text_takes_what_nothing_else_understands(self) -> None:
        talk = collecting("{comment: text}")
        talk.receive(heard("护士很热情"))
        assert talk.slots == {"comment": "护士很热情"}

    def test_an_amount_from_a_plain_number(self) -> None:
        talk = collecting("{amount: {type: money, check: amount <= limit}}")
        talk.receive(heard("五十", number=50))
        assert talk.slots == {"amount": Decimal(50)}

    def test_digits_by_voice_must_have_the_length(self) -> None:
        talk = collecting("{code: {type: digits, length: 4}}")
        talk.receive(heard("一二三", digits="123"))
        assert not talk.slots
        talk.receive(heard("尾号是零二三零", digits="0230"))
        assert talk.slots == {"code": "0230"}

    def test_digits_by_key(self) -> None:
        talk, actions = started(COLLECT.replace("{COLLECT}", "{code: {type: digits, length: 4}}"))
        assert listens(actions).keys == 4
        talk.receive(Keyed("0420"))
        assert talk.slots == {"code": "0420"}

    def test_wrong_keys_count_as_not_understood(self) -> None:
        talk = collecting("{code: {type: digits, length: 4}}")
        assert "再说一遍" in said(talk.receive(Keyed("12")))

    def test_an_entity_of_the_training_data(self) -> None:
        talk, actions = started(COLLECT.replace("{COLLECT}", "{what: product}"))
        assert listens(actions).wanted == {"what": "product"}
        talk.receive(heard("耳机", product="蓝牙耳机"))
        assert talk.slots == {"what": "蓝牙耳机"}

    def test_a_number_said_before_the_question_is_not_taken(self) -> None:
        text = MINIMAL.replace(
            "b: {say: 再见, end: done}", "b: {ask: 几位, collect: {n: integer}, next: c}\n  c: {end: done}"
        )
        talk, actions = started(text)
        assert listens(actions).wanted == {}
        assert said(talk.receive(heard("", "affirm", number=3))) == "几位"

    def test_the_ladder_ends_endless_refusals(self) -> None:
        talk = collecting("{amount: {type: money, check: amount <= limit, invalid: 太多了}}")
        for _ in range(4):
            talk.receive(heard("", number=500))
        assert talk.outcome == "not_understood"
