"""Clock times in spoken Mandarin: 下午三点半, 差一刻四点, 十五点三十, 过半个小时; and the whole grammar."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from agi_bot.nlu.entities import dates_zh
from agi_bot.nlu.entities.moments import NOON, Grammar
from agi_bot.nlu.entities.numerals_zh import whole
from agi_bot.nlu.entities.pieces import Period, Rule, Said

_PERIODS = {"凌晨": Period.MORNING, "清晨": Period.MORNING, "清早": Period.MORNING, "早晨": Period.MORNING,
            "早上": Period.MORNING, "上午": Period.MORNING, "早": Period.MORNING, "中午": Period.NOON,
            "正午": Period.NOON, "午后": Period.AFTERNOON, "下午": Period.AFTERNOON, "傍晚": Period.AFTERNOON,
            "晚上": Period.NIGHT, "晚间": Period.NIGHT, "夜里": Period.NIGHT, "夜间": Period.NIGHT,
            "半夜": Period.NIGHT, "深夜": Period.NIGHT, "晚": Period.NIGHT}  # fmt: skip
_P = rf"(?:(?P<period>{'|'.join(_PERIODS)})的?)?"
_H = r"(?P<hour>零|[一二两三四五六七八九]|二?十[一二三四五六七八九]?|\d{1,2})"
_M = r"(?:[二三四五]?十[一二三四五六七八九]?|[零〇]?[一二两三四五六七八九]|\d{1,2})"
_LED_BY = "天号日一二三四五六末午上晨间里夜后前在到就那嗯是约要改成选订概个能行呢啊吧的说于至和或者"
_NOT_A_BIT = (
    rf"(?!(?<![{_LED_BY}])(?<=[\u4e00-\u9fff])(?<![今明后当][早晚])"
    r"一点(?!钟|整|半|[一两三]刻|[零〇一二三四五六七八九十\d]))"
    r"(?!一点(?:点|儿|时间|都|也))"
)
"""晚一点, 大声一点, 有一点忙: 一点 is "a bit" behind what does not lead to a time."""
_COUNT = r"(?P<count>[一二两三四五六七八九十]{1,3}|\d{1,3})"
_AFTER = r"(?P<after>以后|之后|过后|后)?"


def _clock(match: re.Match[str], now: datetime) -> Said | None:
    return _said(match, whole(match["hour"]), _minute(match["minute"] or ""))


def _before(match: re.Match[str], now: datetime) -> Said | None:
    hour = whole(match["hour"])
    return _said(match, 23 if hour == 0 else hour - 1 or NOON, 60 - _minute(match["minute"]))


def _said(match: re.Match[str], hour: int, minute: int) -> Said | None:
    if hour > 24 or minute > 59:
        return None
    period = _PERIODS.get(match["period"] or "")
    return Said(period=period, clock=(hour % 24, minute), exact=hour > NOON or hour == 0)


def _minute(words: str) -> int:
    words = words.rstrip("分钟")
    if words in ("", "整"):
        return 0
    return {"半": 30, "一刻": 15, "两刻": 30, "三刻": 45}.get(words) or whole(words.lstrip("零〇"))


def _period(match: re.Match[str], now: datetime) -> Said:
    period = _PERIODS[match[0]]
    return Said(period=period, clock=(NOON, 0) if period is Period.NOON else None, weak=period is Period.NOON)


def _hours(match: re.Match[str], now: datetime) -> Said | None:
    if not match["over"] and not match["after"]:
        return None
    hours = 0 if match["count"] is None else whole(match["count"])
    return Said(moment=now + timedelta(hours=hours, minutes=30 if match["half"] or match["count"] is None else 0))


def _minutes(match: re.Match[str], now: datetime) -> Said | None:
    if not match["over"] and not match["after"]:
        return None
    return Said(moment=now + timedelta(minutes=whole(match["count"]) * (15 if match["unit"] == "刻钟" else 1)))


_RULES: tuple[Rule, ...] = (
    (
        re.compile(
            rf"{_P}{_NOT_A_BIT}{_H}点(?!意见|建议|要求|问题|原因)(?:钟|整)?(?P<minute>半|[一两三]刻|{_M}分?)?(?:钟|来钟|多|左右)?"
        ),
        _clock,
    ),
    (re.compile(rf"{_P}{_H}[::](?P<minute>\d\d)"), _clock),
    (re.compile(rf"{_P}差(?P<minute>一刻|{_M}分?)钟?(?:到|不到)?{_H}点钟?"), _before),
    (re.compile(rf"{_P}{_H}点钟?差(?P<minute>一刻|{_M}分?)"), _before),
    (re.compile("|".join(period for period in _PERIODS if len(period) > 1) + "|(?<=[今明后])[早晚]"), _period),
    (re.compile(rf"(?P<over>再?过)?(?:{_COUNT}个?(?P<half>半)?|半个?)(?:小时|钟头){_AFTER}"), _hours),
    (re.compile(rf"(?P<over>再?过)?{_COUNT}(?P<unit>分钟|刻钟){_AFTER}"), _minutes),
)

_CANNOT = "没空|没有空|没时间|没有时间|不行|不方便|不可以|不能|不成|不好|有事|要上班|要开会|去不了|来不了|出差|不合适"

GRAMMAR = Grammar(
    rules=(*dates_zh.RULES, *_RULES),
    filler=re.compile(r"[的啊吧嗯呃哦那就在呢是个、]*"),
    joiner=re.compile(r"(?:到|至|或者?|或者说|和|跟)"),
    denied_before=re.compile(r"(?:不要|不是|别|除了|不约|农历|阴历|旧历)$"),
    denied_after=re.compile(rf"(?:我|都|也|这|那|个|时间|的话|恐怕|可能|是)*(?:{_CANNOT})(?!吗|么)"),
)
