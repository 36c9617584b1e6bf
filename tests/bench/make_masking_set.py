"""Makes the labelled set that the masking is measured on: ``python -m tests.bench.make_masking_set FILE``.

It knows nothing of the masking: each line is JSON with ``turns`` (bot, caller, bot, ...),
``secret`` (for every turn the characters ``[from, to)`` that belong to numbers of seven and
more digits) and ``form``.  Numbers are written and spoken in the forms that people use,
also in pieces; beside them stand dates, times, amounts, addresses and short numbers that
must stay.  All of it is generated; no line was said by a person.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

HAN = "零一二三四五六七八九"
ENGLISH = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


# --- numbers -----------------------------------------------------------------------------


def mobile(rng: random.Random) -> str:
    return "1" + rng.choice("3456789") + _some(rng, 9)


def landline(rng: random.Random) -> str:
    return rng.choice(("010", "021", "0755", "0571")) + rng.choice("23456789") + _some(rng, 7)


def short_landline(rng: random.Random) -> str:
    return rng.choice("23456789") + _some(rng, rng.choice((6, 7)))


def identity(rng: random.Random) -> str:
    body = rng.choice(("110101", "310115", "440305")) + f"{rng.randint(1950, 2008)}{rng.randint(1, 12):02}"
    body += f"{rng.randint(1, 28):02}{_some(rng, 3)}"
    total = sum(int(digit) * (2 ** (17 - place) % 11) for place, digit in enumerate(body))
    return body + "10X98765432"[total % 11]


def card(rng: random.Random) -> str:
    body = rng.choice(("622202", "621700", "4111", "5500")) + _some(rng, 12)
    body = body[:15] if body[0] in "45" else body[:18]
    return body + next(last for last in "0123456789" if _luhn(body + last))


def account(rng: random.Random) -> str:
    return _some(rng, rng.randint(7, 12))


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _some(rng: random.Random, count: int) -> str:
    return "".join(rng.choice("0123456789") for _ in range(count))


# --- how they are written and spoken -----------------------------------------------------


def plain(_: random.Random, digits: str) -> str:
    return digits


def full_width(_: random.Random, digits: str) -> str:
    return "".join(chr(ord(digit) + 0xFEE0) for digit in digits)


def grouped(rng: random.Random, digits: str) -> str:
    return rng.choice((" ", "-", "－", " - ")).join(_groups(rng, digits))


def han(rng: random.Random, digits: str) -> str:
    table = HAN if rng.random() < 0.5 else HAN.replace("一", "幺").replace("零", rng.choice("零〇"))
    return "".join("X" if digit == "X" else table[int(digit)] for digit in digits)


def han_grouped(rng: random.Random, digits: str) -> str:
    between = rng.choice((" ", "，", "，嗯，", " 然后 ", "，然后是", "杠"))
    return between.join(han(rng, group) for group in _groups(rng, digits))


def han_repeated(rng: random.Random, digits: str) -> str:
    """``三个八``: at least one digit thrice."""
    at = rng.randrange(1, len(digits) - 3)
    digits = digits[:at] + "8" * 3 + digits[at + 3 :]
    return han(rng, digits[:at]) + "三个八" + han(rng, digits[at + 3 :])


def mixed(rng: random.Random, digits: str) -> str:
    return "".join(rng.choice((str(digit), HAN[int(digit)])) if digit != "X" else "X" for digit in digits)


def english(rng: random.Random, digits: str) -> str:
    zero = rng.choice(("zero", "oh"))
    return " ".join("x" if digit == "X" else zero if digit == "0" else ENGLISH[int(digit)] for digit in digits)


def english_doubled(rng: random.Random, digits: str) -> str:
    out, place = [], 0
    while place < len(digits):
        if place + 1 < len(digits) and digits[place] == digits[place + 1] != "X":
            out.append(f"double {ENGLISH[int(digits[place])]}")
            place += 2
        else:
            out.append(english(rng, digits[place]))
            place += 1
    return " ".join(out)


def english_paused(rng: random.Random, digits: str) -> str:
    between = rng.choice((", um, ", " dash ", ", ", " and then "))
    return between.join(english(rng, group) for group in _groups(rng, digits))


def _groups(rng: random.Random, digits: str) -> list[str]:
    groups, place = [], 0
    while place < len(digits):
        size = rng.choice((3, 4, 4))
        groups.append(digits[place : place + size])
        place += size
    if len(groups) > 1 and len(groups[-1]) < 3:
        last = groups.pop()
        groups[-1] += last
    return groups


Form = Callable[[random.Random, str], str]
NUMBERS = (mobile, landline, short_landline, identity, card, account)
CHINESE: tuple[Form, ...] = (plain, full_width, grouped, han, han_grouped, han_repeated, mixed)
IN_ENGLISH: tuple[Form, ...] = (plain, grouped, english, english_doubled, english_paused)


# --- what must stay ------------------------------------------------------------------------


def harmless_zh(rng: random.Random) -> str:
    year, month, day = rng.randint(1990, 2030), rng.randint(1, 12), rng.randint(1, 28)
    spoken_year = "".join(HAN[int(digit)] for digit in str(year))
    return rng.choice(
        (
            f"{year}年{month}月{day}日上午{rng.randint(8, 11)}点{rng.randint(10, 59)}分",
            f"{year}-{month:02}-{day:02} {rng.randint(8, 20):02}:{rng.randint(0, 59):02}",
            f"{spoken_year}年{HAN[rng.randint(1, 9)]}月二十{HAN[rng.randint(1, 8)]}号",
            f"{rng.randint(1_000_000, 90_000_000)}元",
            f"¥{rng.randint(1_000, 9_999_999):,}.{rng.randint(10, 99)}",
            f"{HAN[rng.randint(1, 9)]}百{HAN[rng.randint(1, 9)]}十{HAN[rng.randint(1, 9)]}万"
            f"{HAN[rng.randint(1, 9)]}千{HAN[rng.randint(1, 9)]}百块",
            f"朝阳区建国路{rng.randint(1, 999)}号{rng.randint(1, 30)}号楼"
            f"{rng.randint(1, 9)}单元{rng.randint(101, 2909)}室",
            f"邮编{rng.randint(100000, 999999)}",
            f"订单号{rng.randint(100000, 999999)}",
            f"订单号{han(rng, _some(rng, 6))}",
            f"验证码{rng.randint(1000, 999999)}，{rng.randint(1, 9)}分钟内有效",
            f"第{rng.randint(1, 99)}期一共{rng.randint(2, 36)}期，每期{rng.randint(100, 99999)}块",
            f"{rng.randint(1, 23)}点到{rng.randint(1, 23)}点，{rng.randint(2, 9)}个人",
            f"房间{rng.randint(101, 2909)}",
            f"体温三十{HAN[rng.randint(5, 9)]}点{HAN[rng.randint(1, 9)]}度，血压{rng.randint(90, 180)}",
            "打110、119或者120",
            "一会儿一起去，两三点吧，五六个人",
        )
    )


def harmless_en(rng: random.Random) -> str:
    year, month, day = rng.randint(1990, 2030), rng.randint(1, 12), rng.randint(1, 28)
    return rng.choice(
        (
            f"{year}-{month:02}-{day:02} at {rng.randint(8, 20)}:{rng.randint(10, 59)}",
            f"{month}/{day}/{year}",
            f"november {rng.choice(TENS)} first twenty {rng.choice(TENS)} six",
            f"${rng.randint(1_000, 9_999_999):,}.{rng.randint(10, 99)}",
            f"{rng.randint(1_000_000, 9_000_000)} dollars",
            f"one million two hundred {rng.choice(TENS)} four thousand five hundred sixty seven dollars",
            f"{rng.randint(1, 9999)} Main Street apartment {rng.randint(1, 999)}",
            f"order {rng.randint(100000, 999999)}",
            "order " + english(rng, _some(rng, 6)),
            f"between ten {rng.choice(TENS[:4])} and eleven {rng.choice(TENS[:4])}",
            f"room {rng.randint(101, 2909)}, {rng.randint(2, 9)} people",
            f"zip code {_some(rng, 5)}",
            "one of the two, no one else, maybe three or four",
        )
    )


# --- calls -----------------------------------------------------------------------------------

Line = dict[str, Any]
_BEFORE_ZH = ("我的号码是", "号码", "卡号是", "身份证号", "打这个吧", "")
_AFTER_ZH = ("", "谢谢", "，对的", "，记下了吗", "。", "这个号")
_BEFORE_EN = ("my number is ", "it's ", "the card is ", "please call ", "")
_AFTER_EN = ("", " thank you", ", got it?", ". That's it.")


def one_utterance(rng: random.Random, zh: bool) -> Line:
    form = rng.choice(CHINESE if zh else IN_ENGLISH)
    number = rng.choice(NUMBERS)(rng)
    number = mobile(rng) if form is han_repeated else number
    said = form(rng, number)
    before, after = rng.choice(_BEFORE_ZH if zh else _BEFORE_EN), rng.choice(_AFTER_ZH if zh else _AFTER_EN)
    aside = ""
    if rng.random() < 0.3:
        aside = ("，" + harmless_zh(rng) + "，") if zh else (harmless_en(rng) + "; ")
    head = f"{aside}{before}" if before or not aside else f"{aside}{'号码是' if zh else 'my number is '}"
    text = f"{head}{said}{after}"
    return {"turns": ["", text], "secret": [[], [[len(head), len(head) + len(said)]]], "form": form.__name__}


def in_pieces(rng: random.Random, zh: bool) -> Line:
    number = rng.choice((mobile, landline, identity, card))(rng)
    form = rng.choice((plain, han) if zh else (plain, english))
    turns: list[str] = []
    secret: list[list[list[int]]] = []
    nods = ("嗯", "好的", "", "请继续", "请说后面几位") if zh else ("mhm", "okay", "", "go on", "and the next digits?")
    for place, group in enumerate(_groups(rng, number)):
        head = ("号码是" if zh else "it is ") if place == 0 and rng.random() < 0.5 else ""
        said = form(rng, group)
        turns += [rng.choice(nods), f"{head}{said}"]
        secret += [[], [[len(head), len(head) + len(said)]]]
    return {"turns": turns, "secret": secret, "form": f"pieces {form.__name__}"}


def harmless(rng: random.Random, zh: bool) -> Line:
    asked = ("什么时候？", "请问订单号是多少？", "您住哪里？") if zh else ("When?", "What is your order?", "Where?")
    turns = []
    for _ in range(rng.randint(1, 3)):
        turns += [rng.choice(asked), harmless_zh(rng) if zh else harmless_en(rng)]
    return {"turns": turns, "secret": [[] for _ in turns], "form": "harmless"}


def lines(count: int, seed: int) -> Iterator[Line]:
    """``count`` calls, reproducible by ``seed``."""
    rng = random.Random(seed)
    for _ in range(count):
        maker = rng.choices((one_utterance, in_pieces, harmless), (5, 2, 5))[0]
        yield maker(rng, rng.random() < 0.6)


def main() -> None:
    """Write the set: FILE, then optionally how many calls and the seed."""
    file, count, seed = (*sys.argv[1:], *("", "20000", "7")[len(sys.argv) - 1 :])
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines(int(count), int(seed)))
    Path(file).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
