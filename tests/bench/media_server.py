"""The server side of bench_media, in a process of its own: ``ours`` or a bare asyncio ``echo``."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator

from agi_bot.audio import Frame
from agi_bot.errors import CallGone
from agi_bot.pbx.audiosocket import Line, MediaServer

TONE = Frame(bytes((0, 16)) * 160)


class Echo(asyncio.Protocol):
    """Sends back whatever comes: the least that a server in asyncio can do."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)  # type: ignore[attr-defined]


async def tone() -> AsyncIterator[Frame]:
    """Sound without end."""
    while True:
        yield TONE


async def hear(line: Line) -> None:
    """Take every frame, as a conversation would."""
    async for _ in line.frames():
        pass


async def speak(line: Line) -> None:
    """Play all the time."""
    try:
        await line.play(tone())
    except CallGone:
        return


async def main(kind: str) -> None:
    """Print the port, then serve until standard input ends."""
    tasks: set[asyncio.Task[None]] = set()

    def take(line: Line) -> bool:
        for work in (hear(line), speak(line)):
            task = asyncio.create_task(work)
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        return True

    if kind == "ours":
        media = MediaServer("127.0.0.1", 0, stranger=take)
        await media.start()
        port = media.port
    else:
        server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", 0, backlog=512)
        port = server.sockets[0].getsockname()[1]
    print(port, flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
