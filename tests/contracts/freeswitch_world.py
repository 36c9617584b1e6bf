"""A real FreeSWITCH with people around it; their legs run unicast too, with the test at the other end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from uuid import uuid4

import pytest

from agi_bot.audio import Frame
from agi_bot.contracts import Call, Digit, Status
from agi_bot.demo.freeswitch import OwnFreeSwitch
from agi_bot.pbx.freeswitch import FreeSwitchOptions, FreeSwitchPbx
from agi_bot.pbx.freeswitch.guard import answer, open_unicast
from agi_bot.pbx.freeswitch.unicast import Unicast
from agi_bot.pbx.media.clock import LineClock
from esl import Event, EventStream, Server, Session
from tests.contracts.telephones import WAIT_S, Person, found, pace, some

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data" / "freeswitch"
DIALPLANS = (ROOT / "dialplans/freeswitch/agi_bot.xml", DATA / "agi_bot_test.xml", DATA / "test.xml")


class UnicastPerson:
    """The far end of a call; ``tag`` finds the bot's leg of it in events."""

    def __init__(self, world: FreeSwitchWorld, tag: str, session: Session, media: Unicast) -> None:
        self.world = world
        self.tag = tag
        self.session = session
        self.media = media
        self._heard: AsyncIterator[Frame | Digit] = media.frames()

    async def speak(self, frames: Sequence[Frame]) -> None:
        await self.media.play(pace(frames))

    async def press(self, key: str) -> None:
        await self.session.session_api("uuid_send_dtmf", key)

    async def hang_up(self) -> None:
        await self.session.hang_up()

    async def hear(self, count: int) -> list[Frame]:
        return await some(self._heard, count)

    async def after(self) -> Mapping[str, str]:
        event = await asyncio.wait_for(self.world.afterwards(self.tag), WAIT_S)
        names = ("BOT_OUTCOME", "BOT_SLOT_NAME", "BOT_TRANSFER", "BOT_STATUS")
        variables = {name: event.get(f"variable_{name}") for name in names}
        return {**found(variables), "status": variables["BOT_STATUS"]}


class FreeSwitchWorld:
    """``extension`` of context ``caller`` is where a person's call meets the bot."""

    def __init__(
        self,
        own: OwnFreeSwitch,
        *,
        extension: str = "bot",
        options: Mapping[str, object] | None = None,
        must_have_module: bool = True,
    ) -> None:
        self.own = own
        self._must_have_module = must_have_module
        chosen = {
            "port": 0, "esl_port": own.ports.esl, "esl_password": own.password,
            "channel": "loopback/{number}/people", **(options or {}),
        }  # fmt: skip
        self.pbx = FreeSwitchPbx(FreeSwitchOptions(**chosen))  # type: ignore[arg-type]
        self.admin = own.client()
        self._default = f"loopback/{extension}/caller"
        self._clock = LineClock()
        self._people = Server(self._person, port=0)
        self._waiting: dict[str, asyncio.Future[UnicastPerson]] = {}
        self._after: dict[str, asyncio.Future[Event]] = {}
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self.admin.connect()
        if self._must_have_module:
            await self._have_module()
        _, self._port = await self._people.start()
        await self.pbx.start()
        self._watch = asyncio.create_task(
            self._events(await self.admin.subscribe("CHANNEL_HANGUP_COMPLETE", "CUSTOM", "test::after"))
        )
        await self.admin.api(f"global_setvar agi_bot_port={self.pbx.port}")

    async def _have_module(self) -> None:
        media = self.pbx.options.media
        if media != "unicast" and await self.admin.api(f"module_exists mod_{media}") != "true":
            await self.admin.close()
            pytest.skip(f"this FreeSWITCH has no mod_{media}")

    async def stop(self) -> None:
        await self.pbx.close()
        await self.admin.api("hupall")
        await self._people.close()
        await self._until_quiet()
        assert self._watch is not None
        self._watch.cancel()
        await self.admin.close()

    async def call(self, dial: str = "", **variables: str) -> tuple[Call, Person]:
        """Somebody calls the bot, by loopback or by another way (``dial``)."""
        _, person = await self._ring(dial, variables)
        call = await asyncio.wait_for(anext(aiter(self.pbx.calls())), WAIT_S)
        return call, await asyncio.wait_for(person, WAIT_S)

    async def refused(self) -> Event:
        """Somebody calls and the bot does not get the call: what the dialplan finds."""
        tag, _ = await self._ring("", {})
        return await asyncio.wait_for(self.afterwards(tag), WAIT_S)

    async def _ring(self, dial: str, variables: Mapping[str, str]) -> tuple[str, asyncio.Future[UnicastPerson]]:
        tag = uuid4().hex
        person = self._waiting[tag] = asyncio.get_running_loop().create_future()
        told = {"PERSON": tag, "loopback_export": "PERSON", "origination_caller_id_number": "1001"}
        told |= {"ignore_early_media": "true", **variables}
        told |= {"origination_caller_id_name": "张伟", "sip_h_X-Person": tag}
        inside = ",".join(f"{name}='{value}'" for name, value in told.items())
        where = f"&socket('127.0.0.1:{self._port} async full')"
        await self.admin.bgapi(f"originate {{{inside}}}{dial or self._default} {where}")
        return tag, person

    def numbers(self) -> Mapping[Status, str]:
        return {
            Status.ANSWERED: "1001",
            Status.BUSY: "1005",
            Status.CANCELLED: "1003",
            Status.REJECTED: "1006",
            Status.CONGESTION: "1007",
            Status.INVALID_NUMBER: "1004",
        }

    def afterwards(self, tag: str) -> asyncio.Future[Event]:
        return self._after.setdefault(tag, asyncio.get_running_loop().create_future())

    async def _person(self, session: Session) -> None:
        tag = session.variable("PERSON")
        media = Unicast(self._clock, 1000)
        answered = await answer(session, WAIT_S)
        where = await media.open("127.0.0.1")
        media.expect(answered.read_rate)
        await open_unicast(answered, "127.0.0.1", where)
        await media.sounded.wait()
        self._waiting[tag].set_result(UnicastPerson(self, tag, session, media))
        await session.wait_closed()
        media.close("gone")

    async def _events(self, events: EventStream) -> None:
        """What the bot's leg carried when the dialplan went on, or else when it ended."""
        async for event in events:
            tag = event.get("variable_PERSON")
            if tag and event.get("Call-Direction") == "inbound":
                future = self.afterwards(tag)
                if not future.done():
                    future.set_result(event)

    async def _until_quiet(self) -> None:
        async with asyncio.timeout(WAIT_S):
            while not (await self.admin.api("show channels count")).strip().startswith("0 "):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
