"""Simulated people who are called by a campaign: who answers, who is busy, who refuses, and what they say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agi_bot.audio import Frame, silence
from agi_bot.demo.person import record_lines
from agi_bot.demo.phone.patient import Patient, Say
from agi_bot.demo.phone.softphone import PhoneCall, Softphone
from agi_bot.demo.scenario import MANDARIN, Scenario
from agi_bot.errors import AgiBotError


@dataclass(frozen=True, slots=True)
class Part:
    """What a person does: answers and says ``lines`` one after another; or ``rejects`` with a SIP status.

    With neither the telephone rings on.  ``machine``: it is an answering machine, which says
    its line and beeps.  ``announced``: the network plays the line before any answer.
    ``share`` of a campaign's people are like this.
    """

    name: str
    share: int
    lines: tuple[str, ...] = ()
    rejects: int = 0
    machine: bool = False
    announced: bool = False

    @property
    def folder(self) -> str:
        """Name of the folder of its sound."""
        return self.name.replace(" ", "-")


PARTS = (
    Part("agrees", 6, ("可以",)),
    Part("moves the appointment", 3, ("我那天没空，能改到后天下午三点吗", "对")),
    Part("refuses", 2, ("不要再打了",)),
    Part("asks for a later call", 2, ("明天下午再打",)),
    Part("wants a person", 2, ("转人工",)),
    Part("is busy", 2, rejects=486),
    Part("does not answer", 2),
    Part("has no telephone", 1, rejects=404),
    Part("is an answering machine", 1, ("您好，我现在不方便接听电话，请在提示音后留言",), machine=True),
    Part("has an empty number", 1, ("您好，您拨打的号码是空号，请核对后再拨",), announced=True),
)
ANNOUNCED = "139"
"""Beginning of numbers that ring nowhere: the network says so (a route of the demo's Asterisk)."""

BEEP_HZ, BEEP_MS, BEFORE_BEEP_MS = 1000, 400, 600
NAMES = ("张伟", "王芳", "李娜", "刘洋", "陈静", "杨磊", "赵敏", "黄强", "周杰", "吴霞")


@dataclass(frozen=True, slots=True)
class Person:
    """One of them."""

    number: str
    name: str
    part: Part


def cast(count: int) -> list[Person]:
    """``count`` people; every part is played where there are enough of them, and neighbours differ."""
    shares = [part for round_ in range(max(part.share for part in PARTS)) for part in PARTS if part.share > round_]
    return [_person(at, shares[at % len(shares)]) for at in range(count)]  # the first of each part first


def _person(at: int, part: Part) -> Person:
    return Person(f"{ANNOUNCED if part.announced else '138'}{at:08}", NAMES[at % len(NAMES)], part)


async def record_parts(folder: Path) -> dict[str, list[Say]]:
    """Every part's lines as sound."""
    found = {}
    for part in PARTS:
        scenario = Scenario(MANDARIN.language, MANDARIN.flow, part.name, "", part.lines, MANDARIN.variant)
        found[part.name] = await record_lines(scenario, folder / part.folder) if part.lines else []
    return found


def announcement(folder: Path) -> Path:
    """The sound file of what the network plays, as :func:`record_parts` left it in ``folder``."""
    return next(folder / part.folder / "person-1.wav" for part in PARTS if part.announced)


@asynccontextmanager
async def answering(phone: Softphone, people: Sequence[Person], lines: dict[str, list[Say]]) -> AsyncIterator[None]:
    """Everybody is at home: calls that ring on ``phone`` are answered by whoever has the number."""
    at_home = {person.number: person for person in people}
    calls: set[asyncio.Task[None]] = set()

    async def take() -> None:
        while True:
            call = await phone.incoming()
            running = asyncio.create_task(_play(call, at_home.get(call.called), lines))
            calls.add(running)
            running.add_done_callback(calls.discard)

    taking = asyncio.create_task(take())
    try:
        yield
    finally:
        for task in (taking, *calls):
            task.cancel()
        await asyncio.gather(taking, *calls, return_exceptions=True)


async def _play(call: PhoneCall, person: Person | None, lines: dict[str, list[Say]]) -> None:
    if person is None:
        call.reject(404)
    elif person.part.rejects:
        call.reject(person.part.rejects)
    elif person.part.machine:
        with suppress(AgiBotError):
            await call.answer()
            await call.line.play(_with_beep(lines[person.part.name][0].sound))
            await call.ended.wait()
    elif lines[person.part.name]:
        with suppress(AgiBotError):  # the caller gave up in between
            await call.answer()
            await Patient(lines[person.part.name]).talk(call)
    else:
        await call.ended.wait()


def _with_beep(greeting: Frame) -> Frame:
    at = np.arange(BEEP_MS * greeting.rate // 1000) / greeting.rate
    beep = (6000 * np.sin(2 * np.pi * BEEP_HZ * at)).astype("<i2")
    return Frame(greeting.pcm + silence(BEFORE_BEEP_MS, greeting.rate).pcm + beep.tobytes(), greeting.rate)
