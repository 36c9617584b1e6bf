"""Simulated people who are called by a campaign: who answers, who is busy, who refuses, and what they say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from agi_bot.demo.person import record_lines
from agi_bot.demo.phone.patient import Patient, Say
from agi_bot.demo.phone.softphone import PhoneCall, Softphone
from agi_bot.demo.scenario import MANDARIN, Scenario
from agi_bot.errors import AgiBotError


@dataclass(frozen=True, slots=True)
class Part:
    """What a person does: answers and says ``lines`` one after another; or ``rejects`` with a SIP status.

    With neither the telephone rings on.  ``share`` of a campaign's people are like this.
    """

    name: str
    share: int
    lines: tuple[str, ...] = ()
    rejects: int = 0


PARTS = (
    Part("agrees", 6, ("可以",)),
    Part("moves the appointment", 3, ("我那天没空，能改到后天下午三点吗", "对")),
    Part("refuses", 2, ("不要再打了",)),
    Part("asks for a later call", 2, ("晚点再打",)),
    Part("wants a person", 2, ("转人工",)),
    Part("is busy", 2, rejects=486),
    Part("does not answer", 2),
    Part("has no telephone", 1, rejects=404),
)
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
    return [
        Person(f"138{at:08}", NAMES[at % len(NAMES)], shares[at % len(shares)]) for at in range(count)
    ]  # the first of each part first


async def record_parts(folder: Path) -> dict[str, list[Say]]:
    """Every part's lines as sound."""
    found = {}
    for part in PARTS:
        scenario = Scenario(MANDARIN.language, MANDARIN.flow, part.name, "", part.lines, MANDARIN.variant)
        found[part.name] = await record_lines(scenario, folder / part.name.replace(" ", "-")) if part.lines else []
    return found


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
    elif lines[person.part.name]:
        with suppress(AgiBotError):  # the caller gave up in between
            await call.answer()
            await Patient(lines[person.part.name]).talk(call)
    else:
        await call.ended.wait()
