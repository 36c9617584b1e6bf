"""Free text in Mandarin: everything that a voice would misread, in words.

Order matters: what has a shape of its own (dates, times, money, phones) goes before the
plain numbers, and nothing that was turned into words is looked at again.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from agi_bot.spoken.mandarin.money import yuan
from agi_bot.spoken.mandarin.numbers import code, counted, dialled, digits, identity, integer, number_words, phone
from agi_bot.spoken.mandarin.times import clock
from agi_bot.spoken.rules import NUMBER, Match, apply, rule

_UNITS = {
    "kg": "公斤",
    "g": "克",
    "mg": "毫克",
    "km": "公里",
    "m": "米",
    "cm": "厘米",
    "mm": "毫米",
    "ml": "毫升",
    "L": "升",
    "l": "升",
    "h": "小时",
    "min": "分钟",
    "s": "秒",
    "㎡": "平方米",
    "m²": "平方米",
    "KB": "K B",
    "MB": "兆",
    "GB": "G",
    "mmol/L": "毫摩尔每升",
    "mg/dL": "毫克每分升",
    "mmHg": "毫米汞柱",
    "km/h": "公里每小时",
}
_TEMPERATURES = {"℃": "摄氏度", "°C": "摄氏度", "℉": "华氏度", "°F": "华氏度", "°": "度"}
_SYMBOLS = {"¥": "元", "￥": "元", "$": "美元", "€": "欧元", "£": "英镑"}
_COUNTED = (
    "个|位|名|人|次|天|周|小时|年(?!级)|分钟|秒|条|张|件|份|遍|种|家|台|只|本|瓶|盒|片|粒|元|块|毛|角|公里|米|"
    "斤|公斤|克|点|岁|层|倍|项|杯|间|句|段|毫升|升|万|亿|千|百|平方米|到"
)
_PERIOD = "凌晨|清晨|早晨|早上|上午|中午|下午|傍晚|晚上|夜里|深夜|半夜"
_DIALLING = "电话|手机|手机号|热线|拨打|致电|拨|呼叫|打"
_CODES = (
    "验证码|校验码|取件码|密码|编号|单号|订单号|运单号|卡号|尾号|账号|户号|房号|号码|工号|学号|病历号|就诊号|"
    "车牌|车牌号|航班|车次|代码|流水号"
)
_SERVICES = r"95\d{3}|100(?:00|10|16|50|60|86)|12306|12315|12329|12333|12345"
_DASH = r"\s*[-~～–—]\s*"


def speakable(text: str) -> str:
    """See :func:`agi_bot.spoken.speakable`."""
    return apply(_RULES, text)


def _day(match: Match) -> str | None:
    year, month, day = (int(match[index]) for index in (1, 3, 4))
    try:
        date(year, month, day)
    except ValueError:
        return None
    said = f"{digits(match[1])}年{_plain(month)}月{_plain(day)}号"
    return said + (clock(int(match[5]), int(match[6])) if match[5] else "")


def _clock(match: Match) -> str | None:
    hour, minute, second = int(match[2]), int(match[3]), int(match[4] or 0)
    if hour > 24:
        return None
    return (match[1] or "") + clock(hour, minute, second, "" if match[1] else None)


def _money(match: Match) -> str:
    return f"{'负' if match[1] else ''}{_amount(match[3], _SYMBOLS[match[2]])}"


def _yuan(match: Match) -> str:
    return f"{'负' if match[1] else ''}{_amount(match[2], '元')}"


def _amount(written: str, unit: str) -> str:
    number = _decimal(written)
    cents = int(number * 100)
    if unit != "元" or "." not in written or cents != number * 100:
        return f"{counted(number)}{unit}"
    return yuan(cents)


def _percent(match: Match) -> str:
    return f"{'负' if match[1] else ''}百分之{number_words(_decimal(match[2]))}"


def _temperature(match: Match) -> str:
    return f"{'零下' if match[1] else ''}{number_words(_decimal(match[2]))}{_TEMPERATURES[match[3]]}"


def _code(written: str) -> str:
    return "，".join(code(part) for part in written.split("-"))


def _fraction(match: Match) -> str:
    top, bottom = int(match[1]), int(match[2])
    return f"{integer(bottom)}分之{integer(top)}" if top < bottom else f"{integer(top)}，{integer(bottom)}"


def _unit(match: Match) -> str:
    return f"{counted(_decimal(match[1]))}{_UNITS[match[2]]}"


def _number(match: Match) -> str:
    number = _decimal(match[2])
    said = counted(number) if re.match(_COUNTED, match.string[match.end() :]) else number_words(number)
    return f"{'负' if match[1] else ''}{said}"


def _decimal(written: str) -> Decimal:
    return Decimal(written.replace(",", ""))


def _plain(number: int) -> str:
    return integer(number).replace("两", "二")


_RULES = (
    rule(r"(?<!\d)(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?:[T ]*(\d{1,2})[:：](\d{2})(?:[:：]\d{2})?)?(?![\d.]\d)", _day),
    rule(rf"(?<=[:：]\d\d){_DASH}(?=\d{{1,2}}[:：]\d\d)", "到"),
    rule(rf"({_PERIOD})?\s*(?<!\d)(\d{{1,2}})[:：]([0-5]\d)(?:[:：]([0-5]\d))?(?!\d)", _clock),
    rule(rf"((?<![A-Za-z0-9])-)?([¥￥$€£])\s*({NUMBER})(?:元(?![\u4e00-\u9fff]*[角分]))?", _money),
    rule(rf"(?<=\d){_DASH}(?={NUMBER}元)", "到"),
    rule(rf"((?<![A-Za-z0-9])-)?(?<![\d.])({NUMBER})元", _yuan),
    rule(rf"(?<=[%％]){_DASH}(?=\d)", "到"),
    rule(rf"((?<!\w)-)?({NUMBER})\s*[%％]", _percent),
    rule(r"(?<=零下)\s*-(?=\d)", ""),
    rule(rf"((?<!\d)-)?({NUMBER})\s*(℃|°C|℉|°F|°)", _temperature),
    rule(r"(?<![\dA-Za-z])\d{17}[\dXx](?![\dA-Za-z])", lambda m: identity(m[0])),
    rule(r"(\d+)\*{2,}(\d+)", lambda m: f"{dialled(m[1])}，星号，{dialled(m[2])}"),
    rule(r"(?<![\d.])\(0\d{2,3}\)\s*\d{7,8}(?!\d)", lambda m: phone(m[0])),
    rule(rf"(?<![\d.,])({_SERVICES})(?!\d|[.,]\d|{_COUNTED})", lambda m: phone(m[0])),
    rule(r"(?<=[a-z_])\d{3,}(?![\d.])", lambda m: dialled(m[0])),
    rule(r"(?<![\d.])(?:\+?86[- ]?)?1[3-9]\d([- ]?)\d{4}\1\d{4}(?!\d)", lambda m: phone(m[0])),
    rule(r"(?<![\d.])(?:[48]00[- ]?\d{3}[- ]?\d{4}|0\d{2,3}[- ]\d{7,8})(?:转\d{1,6})?(?!\d)", lambda m: phone(m[0])),
    rule(
        rf"({_DIALLING})((?:号码)?(?:是|为)?[:：]?\s*)(\d{{3,12}})(?![\d个次遍位通])",
        lambda m: m[1] + m[2] + phone(m[3]),
    ),
    rule(
        rf"({_CODES})((?:是|为)?[:： ]*)([A-Z0-9]*\d[A-Z0-9]*(?:-[A-Z0-9]+)*)(?![\d.])",
        lambda m: m[1] + m[2] + _code(m[3]),
    ),
    rule(r"(?<![\d.])(\d{3,4})(?=室|房|号房)", lambda m: dialled(m[1])),
    rule(r"(?<![A-Za-z0-9])(?=[A-Z]*\d)(?=\d*[A-Z])[A-Z0-9]{2,}(?![A-Za-z0-9])", lambda m: code(m[0])),
    rule(
        r"(?<![\d.])\d+(?:\.\d+){2,}(?![\d.])", lambda m: "点".join(number_words(Decimal(p)) for p in m[0].split("."))
    ),
    rule(r"第\s*(\d+)", lambda m: "第" + integer(int(m[1]))),
    rule(r"(?<![\d/])(\d{1,3})/(\d{1,3})(?![\d/])", _fraction),
    rule(r"(?<=\d)\s*[:：]\s*(?=\d)", "比"),
    rule(rf"({NUMBER})\s*({'|'.join(sorted(_UNITS, key=len, reverse=True))})(?![A-Za-z])", _unit),
    rule(rf"(?<=\d){_DASH}(?=\d)", "到"),
    rule(r"(?<![\d.])((?:19|20)\d\d)(?=到(?:19|20)\d\d年)", lambda m: digits(m[1])),
    rule(r"(?<![\d.])(\d{4})(?=年(?![前后来间]))", lambda m: digits(m[1])),
    rule(r"(?<![\d.])(\d0)(?=后|年代)", lambda m: digits(m[1])),
    rule(r"(?<![\d.])(\d{1,2})(?=[月日号]|到\d{1,2}[月日号])", lambda m: _plain(int(m[1]))),
    rule(r"(?<![\d.,])(?:0\d+|\d{9,})(?![.,]?\d)", lambda m: code(m[0])),
    rule(rf"((?<![\w)])-)?({NUMBER})", _number),
    rule(r"#(?=键)", "井号"),
    rule(r"\*(?=键)", "星号"),
    rule(r"\s*\+\s*", "加"),
    rule(r"\s*=\s*", "等于"),
    rule(r"\s*&\s*", "和"),
    rule(r"(?<![A-Za-z])[A-Z]{2,4}(?![A-Za-z])", lambda m: " ".join(m[0])),
)
