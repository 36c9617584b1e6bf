"""FreeSWITCH's part of a call, played over real sockets: for machines that have no FreeSWITCH."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, cast

from agi_bot.audio import Frame
from agi_bot.contracts import Call, Status
from agi_bot.pbx.freeswitch import FreeSwitchOptions, FreeSwitchPbx
from esl.testing import Asked, FakeCall
from tests.contracts.telephones import WAIT_S, Person, found

SILENCE = bytes(320)


class SoundPort(asyncio.DatagramProtocol):
    """The ``unicast`` of one call: a datagram each 20 ms, whatever comes is kept."""

    def __init__(self, remote: tuple[str, int]) -> None:
        self.remote = remote
        self.out: deque[bytes] = deque()
        self.heard: asyncio.Queue[bytes] = asyncio.Queue()
        self.pause = False

    async def run(self) -> None:
        """Send until cancelled."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        self.transport = cast(asyncio.DatagramTransport, transport)
        due = loop.time()
        try:
            while True:
                if not self.pause:
                    self.transport.sendto(self.out.popleft() if self.out else SILENCE, self.remote)
                due += 0.02
                await asyncio.sleep(max(0.0, due - loop.time()))
        finally:
            self.transport.close()

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        self.heard.put_nowait(data)


class WireCall(FakeCall):
    """A call that can be answered, opens ``unicast`` and goes on when its socket ends."""

    def __init__(self, data: Mapping[str, str] | None = None) -> None:
        super().__init__(data)
        self.sound: SoundPort | None = None
        self.sounding = asyncio.Event()
        self.completions["answer"] = {
            "variable_endpoint_disposition": "ANSWER", "Answer-State": "answered", "Channel-Read-Codec-Rate": "8000",
        }  # fmt: skip
        self._pumps: list[asyncio.Task[None]] = []

    def _answer(self, asked: Asked) -> None:
        super()._answer(asked)
        if asked.headers.get("call-command") == "unicast":
            self.open_sound(asked)

    def open_sound(self, asked: Asked) -> None:
        """FreeSWITCH aborts when this comes before the answer; so does this fake."""
        assert ("answer", "") in self.executed(), "unicast before answer"
        self.sound = SoundPort((asked.headers["remote-ip"], int(asked.headers["remote-port"])))
        self._pump(self.sound.run())
        self.sounding.set()

    def close_sound(self) -> None:
        for pump in self._pumps:
            pump.cancel()

    def _pump(self, work: Awaitable[None]) -> None:
        self._pumps.append(asyncio.ensure_future(work))


class WirePerson:
    """The person whose voice and ear the fake's ``unicast`` is."""

    def __init__(self, call: WireCall) -> None:
        self.call = call

    async def speak(self, frames: Sequence[Frame]) -> None:
        assert self.call.sound is not None
        self.call.sound.out.extend(frame.pcm for frame in frames)
        await asyncio.sleep(0.02 * len(frames))

    async def press(self, key: str) -> None:
        self.call.fire("DTMF", {"DTMF-Digit": key, "DTMF-Duration": "2000"})

    async def hang_up(self) -> None:
        self.call.close_sound()
        self.call.hang_up()

    async def hear(self, count: int) -> list[Frame]:
        assert self.call.sound is not None
        heard = []
        for _ in range(count):
            try:
                heard.append(Frame(await asyncio.wait_for(self.call.sound.heard.get(), 5)))
            except TimeoutError:
                break
        return heard

    async def after(self) -> Mapping[str, str]:
        await asyncio.wait_for(self.call.closed.wait(), WAIT_S)
        self.call.close_sound()
        return {**found(self.call.variables), "status": self.call.variables.get("BOT_STATUS", "LOST")}


class FreeSwitchWireWorld:
    """Our server, and FreeSWITCH's part played by :class:`WireCall`; no outbound."""

    def __init__(self) -> None:
        self.pbx = FreeSwitchPbx(FreeSwitchOptions(port=0, finish_wait_s=1.0))
        self.calls: list[WireCall] = []

    async def start(self) -> None:
        await self.pbx.start()

    async def stop(self) -> None:
        await self.pbx.close()
        for call in self.calls:
            call.close_sound()

    async def ring(self, data: Mapping[str, str] | None = None) -> WireCall:
        """A call comes on the socket."""
        told = {
            "Caller-Caller-ID-Number": "1001", "Caller-Destination-Number": "contract", "Channel-Name": "wire/1001",
            "variable_BOT_FLOW": "contract", **(data or {}),
        }  # fmt: skip
        call = WireCall(told)
        self.calls.append(call)
        await call.connect("127.0.0.1", self.pbx.port)
        return call

    async def call(self) -> tuple[Call, Person]:
        wire = await self.ring()
        call = await asyncio.wait_for(anext(aiter(self.pbx.calls())), WAIT_S)
        return call, WirePerson(wire)

    def numbers(self) -> Mapping[Status, str]:
        return {}
