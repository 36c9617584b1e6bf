"""People who call, bots that live, die or stay mute: what the tests of a real FreeSWITCH play with."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

from esl import Client, Event


class Callers:
    """Calls ``bot`` of context ``caller`` and notes when each caller is back in the dialplan."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.began: dict[str, float] = {}
        self.back: dict[str, tuple[float, Event]] = {}
        self.ended: dict[str, Event] = {}
        self._news = asyncio.Event()
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._watch = asyncio.create_task(self._listen())
        await self._news.wait()

    async def stop(self) -> None:
        await self.client.api("hupall")
        async with asyncio.timeout(30):
            while not (await self.client.api("show channels count")).strip().startswith("0 "):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert self._watch is not None
        self._watch.cancel()

    async def point(self, port: int) -> None:
        """Tell the dialplan where the bot is."""
        await self.client.api(f"global_setvar agi_bot_port={port}")

    async def call(self, count: int, extension: str = "bot", then: str = "&park()", **variables: str) -> list[str]:
        """``count`` callers at once; their tags."""
        tags = [uuid4().hex for _ in range(count)]
        await asyncio.gather(*(self.call_one(tag, extension, then, variables) for tag in tags))
        return tags

    async def call_one(
        self, tag: str, extension: str, then: str = "&park()", variables: Mapping[str, str] | None = None
    ) -> None:
        told = {"PERSON": tag, "loopback_export": "PERSON", **(variables or {})}
        inside = ",".join(f"{name}='{value}'" for name, value in told.items())
        self.began[tag] = time.time()
        await self.client.bgapi(f"originate {{{inside}}}loopback/{extension}/caller {then}")

    async def all_back(self, count: int, seconds: float = 30) -> list[Event]:
        """Wait until ``count`` callers are back; the events that told."""
        async with asyncio.timeout(seconds):
            while len(self.back) < count:
                self._news.clear()
                await self._news.wait()
        return [event for _, event in self.back.values()]

    def waits(self) -> list[float]:
        """Seconds from the call to the dialplan after the bot, call by call."""
        return [at - self.began[tag] for tag, (at, _) in self.back.items()]

    def last_back(self) -> float:
        """When the last caller was back, seconds of the wall clock."""
        return max(at for at, _ in self.back.values())

    async def _listen(self) -> None:
        events = await self.client.subscribe("CHANNEL_HANGUP_COMPLETE", "CUSTOM", "test::after")
        self._news.set()
        async for event in events:
            tag = event.get("variable_PERSON")
            if event.name == "CUSTOM":
                self.back[tag] = (float(event["Event-Date-Timestamp"]) / 1e6, event)
            elif event.get("Channel-Name").endswith("-b"):
                self.ended[tag] = event
            self._news.set()


class Bot:
    """A process of stage_bot.py."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self._process = process
        self.port = port
        self.taken = 0

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    async def calls(self, count: int) -> None:
        """Wait until it has told of ``count`` calls."""
        assert self._process.stdout is not None
        for _ in range(count):
            assert b'"contract"' in await self._process.stdout.readline()

    async def count(self) -> None:
        """Count calls until cancelled (and keep the pipe empty) in :attr:`taken`."""
        assert self._process.stdout is not None
        while await self._process.stdout.readline():
            self.taken += 1


@asynccontextmanager
async def bot(**options: object) -> AsyncIterator[Bot]:
    """A bot in a process of its own, killed at the end."""
    script = Path(__file__).with_name("stage_bot.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(script), json.dumps(options), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        told = json.loads(await asyncio.wait_for(process.stdout.readline(), 30))
        yield Bot(process, told["port"])
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def mute() -> AsyncIterator[int]:
    """A server that accepts and says nothing."""

    async def keep_quiet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65536):
            pass
        writer.close()

    server = await asyncio.start_server(keep_quiet, "127.0.0.1", 0, backlog=512)
    async with server:
        yield server.sockets[0].getsockname()[1]


def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
