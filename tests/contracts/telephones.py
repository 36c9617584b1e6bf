"""Three worlds in which a person telephones with the bot: fakes, the wire alone, a real Asterisk."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol
from uuid import UUID, uuid4

from agi_bot.audio import Frame
from agi_bot.contracts import Call, Digit, Pbx, Status
from agi_bot.demo.asterisk import Asterisk
from agi_bot.pbx.ami import Ami, Event
from agi_bot.pbx.asterisk import AmiOptions, AsteriskOptions, AsteriskPbx
from agi_bot.pbx.audiosocket import Line, MediaServer
from agi_bot.pbx.simulated import SimulatedChannel
from agi_bot.testing import FakeCall, FakePbx, FakeRinging

WAIT_S = 30.0


class Person(Protocol):
    """The other end of a call."""

    async def speak(self, frames: Sequence[Frame]) -> None:
        """Say ``frames`` at the line's pace."""

    async def press(self, key: str) -> None: ...

    async def hang_up(self) -> None: ...

    async def hear(self, count: int) -> list[Frame]:
        """The next ``count`` frames that arrive."""

    async def after(self) -> Mapping[str, str]:
        """What the dialplan found after the bot: outcome, slot, transfer."""


class World(Protocol):
    """An exchange with people around it."""

    pbx: Pbx

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def call(self) -> tuple[Call, Person]:
        """Somebody calls the bot."""

    def numbers(self) -> Mapping[Status, str]:
        """A number to dial for each way in which an attempt can end."""


async def pace(frames: Sequence[Frame]) -> AsyncIterator[Frame]:
    """``frames`` as a voice would bring them."""
    for frame in frames:
        yield frame


# --- fakes ---


class FakePerson:
    def __init__(self, call: FakeCall) -> None:
        self.call = call
        self.heard = 0

    async def speak(self, frames: Sequence[Frame]) -> None:
        self.call.speak(*frames)

    async def press(self, key: str) -> None:
        self.call.press(key)

    async def hang_up(self) -> None:
        self.call.caller_hangs_up()

    async def hear(self, count: int) -> list[Frame]:
        """A fake call has no silence between prompts: it is made here."""
        await asyncio.sleep(count * 0.02)
        new = self.call.played[self.heard : self.heard + count]
        self.heard += len(new)
        return (new + [Frame(bytes(320))] * count)[:count]

    async def after(self) -> Mapping[str, str]:
        await asyncio.wait_for(self.call.ended(), WAIT_S)
        return found(self.call.results)


class FakeWorld:
    def __init__(self) -> None:
        self.pbx = FakePbx(self._dialled)

    async def start(self) -> None:
        await self.pbx.start()

    async def stop(self) -> None:
        await self.pbx.close()

    async def call(self) -> tuple[Call, Person]:
        call = self.pbx.arrive(FakeCall(variables={"flow": "contract"}))
        return await anext(aiter(self.pbx.calls())), FakePerson(call)

    def numbers(self) -> Mapping[Status, str]:
        return {Status.ANSWERED: "1001", Status.BUSY: "1002", Status.CANCELLED: "1003"}

    def _dialled(self, attempt: FakeRinging) -> None:
        if attempt.number == "1001":
            attempt.answer()
        elif attempt.number == "1002":
            attempt.fail(Status.BUSY, cause=17)


# --- the wire ---


class WirePerson:
    def __init__(self, channel: SimulatedChannel, running: asyncio.Task[str]) -> None:
        self.channel = channel
        self.running = running
        self._heard = channel.heard()

    async def speak(self, frames: Sequence[Frame]) -> None:
        for frame in frames:
            self.channel.speak(frame)
            await asyncio.sleep(0.02)

    async def press(self, key: str) -> None:
        self.channel.press(key)

    async def hang_up(self) -> None:
        self.channel.hang_up()

    async def hear(self, count: int) -> list[Frame]:
        return await some(self._heard, count)

    async def after(self) -> Mapping[str, str]:
        await asyncio.wait_for(self.running, WAIT_S)
        return found(self.channel.variables)


class WireWorld:
    """Our servers, and Asterisk's part played by :class:`SimulatedChannel`; no outbound."""

    def __init__(self) -> None:
        self.pbx = AsteriskPbx(AsteriskOptions(agi_port=0, audio_port=0))
        self._running: list[asyncio.Task[str]] = []

    async def start(self) -> None:
        await self.pbx.start()

    async def stop(self) -> None:
        await self.pbx.close()
        await asyncio.wait_for(asyncio.gather(*self._running), WAIT_S)

    async def call(self) -> tuple[Call, Person]:
        channel = SimulatedChannel(arguments=("contract",))
        running = asyncio.create_task(channel.run("127.0.0.1", self.pbx.agi.port))
        self._running.append(running)
        call = await asyncio.wait_for(anext(aiter(self.pbx.calls())), WAIT_S)
        return call, WirePerson(channel, running)

    def numbers(self) -> Mapping[Status, str]:
        return {}


# --- a real Asterisk ---


class RealPerson:
    """The person's leg runs AudioSocket too, with the test at its other end."""

    def __init__(self, world: AsteriskWorld, uuid: UUID, line: Line) -> None:
        self.world = world
        self.uuid = uuid
        self.line = line
        self._heard = line.frames()

    async def speak(self, frames: Sequence[Frame]) -> None:
        await self.line.play(pace(frames))

    async def press(self, key: str) -> None:
        await self.world.admin.action(
            "PlayDTMF", {"Channel": self.world.leg(self.uuid), "Digit": key, "Duration": "100"}
        )

    async def hang_up(self) -> None:
        await self.world.admin.action("Hangup", {"Channel": self.world.leg(self.uuid), "Cause": "16"})

    async def hear(self, count: int) -> list[Frame]:
        return await some(self._heard, count)

    async def after(self) -> Mapping[str, str]:
        event = await asyncio.wait_for(self.world.afterwards(str(self.uuid)), WAIT_S)
        decoded = {name: base64.b64decode(event.get(name, "")).decode() for name in ("outcome", "slot", "transfer")}
        return {**decoded, "status": event["status"]}


class AsteriskWorld:
    """``line`` is the context in which a person's call meets the bot."""

    def __init__(
        self, asterisk: Asterisk, *, line: str = "contract-line", options: Mapping[str, object] | None = None
    ) -> None:
        self.asterisk = asterisk
        layout = asterisk.layout
        login = AmiOptions(user=layout.user, secret=layout.secret, port=layout.ami)
        chosen = {
            "agi_port": 0, "audio_port": 0, "ami": login,
            "channel": "Local/{number}@contract-out", "context": "contract-answered",
            "extension": "s", **(options or {}),
        }  # fmt: skip
        self.pbx = AsteriskPbx(AsteriskOptions(**chosen))  # type: ignore[arg-type]
        self.admin = Ami(login)
        self.people = MediaServer("127.0.0.1", 0)
        self._line = line
        self._dialling: list[asyncio.Task[list[Event]]] = []
        self._after: dict[str, asyncio.Future[Event]] = {}

    async def start(self) -> None:
        await self.people.start()
        await self.admin.connect()
        self.admin.subscribe("UserEvent", self._user_event)
        await self.pbx.start()
        where = {
            "AGI_BOT_PATIENCE": 6,  # a machine that runs tests may be slow
            "AGI_BOT_PORT": self.pbx.agi.port,
            "AGI_BOT_AUDIO_PORT": self.pbx.media.port,
            "PERSON_AT": f"127.0.0.1:{self.people.port}",
            "SIP_PORT": self.asterisk.layout.sip,
        }
        for name, value in where.items():
            await self.admin.action("Setvar", {"Variable": name, "Value": str(value)})

    async def stop(self) -> None:
        await self.pbx.close()
        self.people.close()
        await self._until_quiet()
        await asyncio.gather(*self._dialling, return_exceptions=True)
        await self.admin.close()

    async def call(self) -> tuple[Call, Person]:
        uuid, person = self.expect()
        await self.originate(uuid)
        call = await asyncio.wait_for(anext(aiter(self.pbx.calls())), WAIT_S)
        return call, RealPerson(self, uuid, await asyncio.wait_for(person, WAIT_S))

    async def originate(self, uuid: UUID) -> None:
        """Let the person of ``uuid`` call the bot."""
        headers = {
            "Channel": f"Local/s@{self._line}/n",
            "ChannelId": self.leg(uuid),
            "Context": "contract-person",
            "Exten": "s",
            "Priority": "1",
            "CallerID": "张伟 <1001>",
            "Variable": f"PERSON={uuid}",
            "Async": "true",
        }
        self._dialling.append(asyncio.create_task(self.admin.action("Originate", headers, 15)))
        await asyncio.sleep(0)

    def expect(self) -> tuple[UUID, asyncio.Future[Line]]:
        """A person who is going to have sound."""
        uuid = uuid4()
        return uuid, self.people.expect(uuid)

    def leg(self, uuid: UUID) -> str:
        """Unique id of the person's channel."""
        return f"person-{uuid}"

    def afterwards(self, uuid: str) -> asyncio.Future[Event]:
        return self._after.setdefault(uuid, asyncio.get_running_loop().create_future())

    def numbers(self) -> Mapping[Status, str]:
        return {
            Status.ANSWERED: "1001",
            Status.BUSY: "1005",
            Status.CANCELLED: "1003",
            Status.REJECTED: "1006",
            Status.CONGESTION: "1007",
            Status.INVALID_NUMBER: "1004",
        }

    def _user_event(self, event: Event) -> None:
        if event.get("userevent") == "ContractAfter":
            future = self.afterwards(event["person"])
            if not future.done():
                future.set_result(event)

    async def _until_quiet(self) -> None:
        async with asyncio.timeout(WAIT_S):
            while not await self._quiet():  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    async def _quiet(self) -> bool:
        return any(line.startswith("0 active channels") for line in await self.admin.command("core show channels"))


async def some(items: AsyncIterator[Frame | Digit], count: int) -> list[Frame]:
    frames: list[Frame] = []
    with contextlib.suppress(StopAsyncIteration, TimeoutError):
        async with asyncio.timeout(WAIT_S):
            while len(frames) < count:
                item = await anext(items)
                if isinstance(item, Frame):
                    frames.append(item)
    return frames


def found(variables: Mapping[str, str]) -> dict[str, str]:
    names = {"outcome": "BOT_OUTCOME", "slot": "BOT_SLOT_NAME", "transfer": "BOT_TRANSFER"}
    return {name: variables.get(variable, "") for name, variable in names.items()}
