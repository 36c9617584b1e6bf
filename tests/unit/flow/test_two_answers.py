"""A value told in two answers, or in digits: from the caller's words, through the grammars, into the slots."""

from __future__ import annotations

import pytest

from agi_bot.contracts import Context, Intent, Value
from agi_bot.flow import load_text
from agi_bot.flow.rehearsal import Rehearsal
from agi_bot.nlu import NluData
from agi_bot.nlu.finder import EntityFinder
from tests.unit.flow.talking import NOW

FLOW = """\
flow: f
language: LANGUAGE
start: a
steps:
  a:
    ask: 什么时候？
    collect: COLLECT
    CONFIRM
    next: b
  b: {say: 再见, end: done}
"""


class Grammars:
    """Understands values, and yes and no, as the real interpreters do."""

    def __init__(self, language: str) -> None:
        self._finder = EntityFinder(NluData(()), language)

    async def interpret(self, text: str, context: Context) -> Intent:
        name = {"对": "affirm", "不对": "deny"}.get(text, "")
        return Intent(name, 0.9, self._finder.find(text, context))


async def slots(language: str, collect: str, *answers: str, confirm: str = "") -> dict[str, Value]:
    text = FLOW.replace("LANGUAGE", language).replace("COLLECT", collect)
    text = text.replace("    CONFIRM\n", f"    confirm: {confirm}\n" if confirm else "")
    rehearsal = Rehearsal(load_text(text), Grammars(language), {}, now=NOW)
    await rehearsal.start()
    for answer in answers:
        await rehearsal.say(answer)
    return dict(rehearsal.dialogue.slots)


def plain(value: Value) -> str:
    return str(value).removesuffix("+08:00")


@pytest.mark.parametrize(
    ("language", "answers", "moment"),
    [
        ("zh-CN", ("明天晚上", "八点"), "2026-11-25 20:00:00"),
        ("zh-CN", ("下周三下午", "三点半"), "2026-12-02 15:30:00"),
        ("zh-CN", ("明天早上", "六点"), "2026-11-25 06:00:00"),
        ("zh-CN", ("明天晚上", "十二点"), "2026-11-26 00:00:00"),
        ("zh-CN", ("晚上十二点", "明天"), "2026-11-26 00:00:00"),
        ("zh-CN", ("明天", "晚上吧", "八点"), "2026-11-25 20:00:00"),
        ("zh-CN", ("明天晚上", "还是后天吧", "八点"), "2026-11-26 20:00:00"),
        ("zh-CN", ("明天晚上", "后天上午九点"), "2026-11-26 09:00:00"),
        ("zh-CN", ("明天下午", "十六点"), "2026-11-25 16:00:00"),
        ("zh-CN", ("明天晚上不行", "明天八点"), "2026-11-25 08:00:00"),
        ("zh-CN", ("明天", "我上午有事", "三点"), "2026-11-25 15:00:00"),
        ("zh-CN", ("明天", "八点"), "2026-11-25 08:00:00"),
        ("en", ("tomorrow evening", "at eight"), "2026-11-25 20:00:00"),
        ("en", ("next wednesday afternoon", "half past three"), "2026-12-02 15:30:00"),
        ("en", ("tomorrow", "in the evening", "eight"), "2026-11-25 20:00:00"),
        ("en", ("tomorrow evening", "seven am"), "2026-11-25 07:00:00"),
        ("en", ("tomorrow", "at eight"), "2026-11-25 08:00:00"),
    ],
)
async def test_the_half_of_the_day_is_remembered(language: str, answers: tuple[str, ...], moment: str) -> None:
    assert plain((await slots(language, "{at: datetime}", *answers))["at"]) == moment


async def test_also_where_day_and_time_are_two_slots() -> None:
    found = await slots("zh-CN", "{day: date, at: time}", "明天晚上", "八点")
    assert [plain(found[name]) for name in ("day", "at")] == ["2026-11-25", "20:00:00"]


async def test_a_no_forgets_it() -> None:
    answers = ("明天晚上", "八点", "不对", "后天", "九点")
    found = await slots("zh-CN", "{at: datetime}", *answers, confirm="对吗？")
    assert plain(found["at"]) == "2026-11-26 09:00:00"


@pytest.mark.parametrize(
    ("language", "said", "code"),
    [
        ("zh-CN", "尾号是零零四二", "0042"),
        ("zh-CN", "第一张卡的尾号零幺三个八", "01888"),
        ("zh-CN", "0042", "0042"),
        ("en", "it is double oh four two", "0042"),
        ("en", "my code is oh four two oh", "0420"),
    ],
)
async def test_a_code_keeps_its_leading_zeros(language: str, said: str, code: str) -> None:
    assert await slots(language, "{code: digits}", said) == {"code": code}


@pytest.mark.parametrize("said", ["等一下", "我想一想"])
async def test_a_lone_digit_is_no_code(said: str) -> None:
    assert await slots("zh-CN", "{code: digits}", said) == {}


@pytest.mark.parametrize("said", ["大声一点", "能不能晚一点", "我有一点忙", "等一点时间", "说慢一点"])
async def test_a_bit_is_not_one_o_clock(said: str) -> None:
    assert await slots("zh-CN", "{at: time}", said) == {}


BY_DAY = "{at: {type: datetime, check: hour(at) < 18 and hour(at) > 8, invalid: 只有白天。}}"


@pytest.mark.parametrize(
    ("language", "answers", "moment"),
    [
        ("zh-CN", ("明天晚上八点", "明天三点"), "2026-11-25 15:00:00"),
        ("zh-CN", ("明天晚上八点", "三点"), "2026-11-25 15:00:00"),
        ("zh-CN", ("明天晚上八点", "上午十点"), "2026-11-25 10:00:00"),
        ("zh-CN", ("明天晚上八点", "后天三点"), "2026-11-26 15:00:00"),
        ("zh-CN", ("明天晚上", "八点", "九点"), "2026-11-25 09:00:00"),
        ("en", ("tomorrow evening at eight", "tomorrow at three"), "2026-11-25 15:00:00"),
        ("en", ("tomorrow evening at eight", "at three then"), "2026-11-25 15:00:00"),
    ],
)
async def test_nothing_of_a_refused_value_but_its_day_is_read_into_the_next_one(
    language: str, answers: tuple[str, ...], moment: str
) -> None:
    found = await slots(language, BY_DAY, *answers)
    assert plain(found["at"]) == moment


async def test_a_bare_hour_after_an_evening_is_not_in_the_small_hours() -> None:
    found = await slots("zh-CN", "{at: datetime}", "明天晚上", "三点")
    assert plain(found["at"]) == "2026-11-25 15:00:00"


async def test_a_refused_day_gives_way_to_another_one() -> None:
    found = await slots(
        "zh-CN", "{at: {type: datetime, check: weekday(at) < 3, invalid: 忙。}}", "后天八点半", "下周一", "十点"
    )
    assert plain(found["at"]) == "2026-11-30 10:00:00"
