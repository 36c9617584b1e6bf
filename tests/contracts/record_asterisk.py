"""Record what a real Asterisk sends, for the parsers' tests.

``python -m tests.contracts.record_asterisk`` writes tests/data/asterisk/*.bin anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

from agi_bot.demo.asterisk import Asterisk
from agi_bot.demo.provision import provide
from agi_bot.pbx.agi import commands
from agi_bot.pbx.ami import Ami, AmiOptions
from agi_bot.pbx.audiosocket import protocol

DATA = Path(__file__).parents[1] / "data/asterisk"
UUID_OF_THE_RECORDING = UUID("5f0c1a52-3c52-4c13-9d0b-0a2f4d1a7e11")

COMMANDS = [
    commands.answer(),
    commands.get_variable("NAME"),
    commands.get_variable("NOT_SET"),
    commands.set_variable("TWO", "x"),
    commands.execute("NoSuchApplication"),
    commands.stream_file("no-such-file"),
    commands.stream_file("silence/1"),
    b"NO SUCH COMMAND\n",
    b"SET VARIABLE\n",
    commands.set_variable("LAST", "1"),
]

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter, bytearray], Awaitable[None]]


async def record(ami: Ami, extension: str, serve: Serve) -> bytes:
    """Everything that Asterisk sends to ``serve`` in one call to ``extension``."""
    recorded = bytearray()
    done = asyncio.Event()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await serve(reader, writer, recorded)
        writer.close()
        done.set()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    where = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    await ami.action("Setvar", {"Variable": "RECORD_AT", "Value": where})
    headers = {
        "Channel": f"Local/{extension}@contract-record/n",
        "ChannelId": f"record-{extension}",
        "CallerID": "张伟 <1001>",
        "Application": "Milliwatt",
        "Variable": f"PERSON={UUID_OF_THE_RECORDING}",
        "Async": "true",
    }
    originating = asyncio.create_task(ami.action("Originate", headers, 20))
    await asyncio.wait_for(done.wait(), 20)
    server.close()
    await asyncio.wait({originating})
    return bytes(recorded)


async def agi(ami: Ami, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, recorded: bytearray) -> None:
    """Every kind of reply, then a hang-up and what works after it."""

    async def receive(quiet_s: float) -> None:
        try:
            while data := await asyncio.wait_for(reader.read(4096), quiet_s):
                recorded.extend(data)
        except TimeoutError:
            return

    await receive(0.3)
    for command in COMMANDS:
        writer.write(command)
        await receive(1.2 if b"silence" in command or command == commands.answer() else 0.1)
    await ami.action("Hangup", {"Channel": "record-agi"})
    await receive(0.3)
    for command in (commands.set_variable("AFTER", "1"), commands.answer(), commands.get_variable("AFTER")):
        writer.write(command)
        await receive(0.1)


async def audio(ami: Ami, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, recorded: bytearray) -> None:
    """A UUID, some frames, two keys, the end."""
    end = asyncio.get_running_loop().time() + 1
    keys = ["5", "#"]
    while asyncio.get_running_loop().time() < end:
        writer.write(protocol.header(8000, 320) + bytes(320))
        if keys and len(recorded) > 20:
            await ami.action("PlayDTMF", {"Channel": "record-audio", "Digit": keys.pop(0), "Duration": "80"})
        await asyncio.sleep(0.02)
        recorded.extend(await reader.read(323))
    await ami.action("Hangup", {"Channel": "record-audio"})
    while data := await reader.read(4096):
        recorded.extend(data)


async def main() -> None:
    """Record both."""
    root = Path(__file__).parents[2]
    dialplans = [*sorted((root / "dialplans/asterisk").glob("agi-bot*.conf")), DATA / "contract.conf"]
    async with Asterisk(provide(print), dialplans=dialplans) as asterisk:
        layout = asterisk.layout
        ami = Ami(AmiOptions(user=layout.user, secret=layout.secret, port=layout.ami))
        await ami.connect()
        agi_bytes = await record(ami, "agi", lambda *each: agi(ami, *each))
        audio_bytes = await record(ami, "audio", lambda *each: audio(ami, *each))
        await ami.close()
    (DATA / f"agi-{asterisk.version}.bin").write_bytes(agi_bytes)
    (DATA / f"audiosocket-{asterisk.version}.bin").write_bytes(audio_bytes)


if __name__ == "__main__":
    asyncio.run(main())
