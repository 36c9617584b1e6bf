"""When somebody asked to be called again."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from agi_bot.app.callback import LATER_S, asked_for, call_back_at
from agi_bot.record import CallRecord, Turn

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=SHANGHAI)
"""A Tuesday."""


@pytest.mark.parametrize(
    ("said", "when"),
    [
        ("明天下午再打", "25T15:00"),
        ("我在开会，你明天下午三点再打给我吧", "25T15:00"),
        ("下午再打", "24T15:00"),
        ("上午再打吧", "25T10:00"),
        ("过半个小时再打", "24T10:30"),
        ("晚上八点以后再打", "24T20:00"),
        ("明天再打吧", "25T10:00"),
        ("下周一上午打给我", "30T10:00"),
        ("call me tomorrow afternoon", "25T15:00"),
        ("please call back at five", "24T17:00"),
        ("in two hours", "24T12:00"),
        ("Tomorrow at 3 pm", "25T15:00"),
    ],
)
def test_the_time_that_was_named(said: str, when: str) -> None:
    language = "en" if said.isascii() else "zh-CN"
    assert asked_for(said, language, NOW) == datetime.fromisoformat(f"2026-11-{when}:00+08:00")


@pytest.mark.parametrize("said", ["改天再说", "今天再打", "some other time", "晚点再打", ""])
def test_no_time_was_named(said: str) -> None:
    assert asked_for(said, "en" if said.isascii() else "zh-CN", NOW) is None


def a_call(outcome: str, *heard: str) -> CallRecord:
    return CallRecord("c", "f", "zh-CN", NOW, outcome=outcome, turns=[Turn(heard=text) for text in heard])


def test_only_who_asked_for_it_and_by_their_last_words() -> None:
    now = NOW.timestamp()
    assert call_back_at(a_call("rescheduled", "明天下午"), SHANGHAI, now) is None
    tomorrow = (NOW + timedelta(days=1)).replace(hour=15).timestamp()
    assert call_back_at(a_call("call_later", "喂", "明天下午再打", ""), SHANGHAI, now) == tomorrow
    assert call_back_at(a_call("call_later", "以后再说"), SHANGHAI, now) == now + LATER_S


def test_where_the_campaign_is() -> None:
    new_york = ZoneInfo("America/New_York")
    found = call_back_at(a_call("call_later", "明天下午再打"), new_york, NOW.timestamp())
    assert found == datetime(2026, 11, 24, 15, tzinfo=new_york).timestamp(), "it is the 23rd there"
