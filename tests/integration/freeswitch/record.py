"""Record what a real FreeSWITCH says on its event socket (see tests/data/esl/README.md)."""

from __future__ import annotations

import asyncio
import re
import tempfile
from pathlib import Path

import esl
from agi_bot.demo.freeswitch import OwnFreeSwitch, find_binary
from esl import commands
from esl.commands import Command

ROOT = Path(__file__).parents[3]
DATA = ROOT / "tests" / "data" / "esl"
DIALPLAN = ROOT / "tests" / "data" / "freeswitch" / "test.xml"
HOSTILE = "张伟%0AHangup-Cause: FAKED"


class Tap:
    """A socket that keeps every byte it receives."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.heard = bytearray()
        self.said: list[str] = []

    async def say(self, command: Command, pause: float = 0.2) -> None:
        self.said.append(command.line)
        self.writer.write(command.encode())
        await self.hear(pause)

    async def hear(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                while data := await self.reader.read(65536):
                    self.heard += data
        except TimeoutError:
            return

    def save(self, name: str) -> None:
        (DATA / f"{name}.bin").write_bytes(bytes(self.heard))
        (DATA / f"{name}.commands").write_text("\n".join(self.said) + "\n", encoding="utf-8")


async def record_inbound(own: OwnFreeSwitch) -> Tap:
    tap = Tap(*await asyncio.open_connection("127.0.0.1", own.ports.esl))
    await tap.hear(0.2)
    await tap.say(commands.auth(own.password))
    tap.said[-1] = "auth secret"
    await tap.say(commands.api("echo 您好"))
    await tap.say(commands.api("no_such_command"))
    await tap.say(commands.event("CHANNEL_CREATE", "CHANNEL_HANGUP_COMPLETE", "BACKGROUND_JOB", "CUSTOM", "a::b"))
    hard = {"Event-Subclass": "a::b", "Caller": HOSTILE, "Empty": ""}
    hard.pop("Empty")
    await tap.say(commands.send_event("CUSTOM", hard, "Content-Length: 9\n\n您好\n"))
    name = f"origination_caller_id_name='{HOSTILE}'"
    await tap.say(commands.bgapi(f"originate {{{name}}}loopback/refuse_USER_BUSY/public &park()", "job-1"), 1.0)
    await tap.say(commands.event_filter("Event-Name", "BACKGROUND_JOB"))
    await tap.say(commands.bgapi("status", "job-2"), 0.5)
    await tap.say(commands.exit_(), 0.5)
    return tap


async def record_outbound(own: OwnFreeSwitch) -> Tap:
    taps: asyncio.Queue[Tap] = asyncio.Queue()
    server = await asyncio.start_server(lambda r, w: taps.put_nowait(Tap(r, w)), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with own.client() as freeswitch:
        name = f"{{origination_caller_id_name='{HOSTILE}'}}"
        await freeswitch.bgapi(f"originate {name}loopback/bot_{port}/public &park()")
        tap = await taps.get()
        await tap.say(commands.connect())
        await tap.say(commands.linger(5))
        await tap.say(commands.my_events())
        await tap.say(commands.execute("answer", event_id="e-1"))
        await tap.say(commands.execute("sleep", "300", event_id="e-2"), 0)
        await tap.say(commands.execute("set", "greeting=您好\nzwei", event_id="e-3"), 0.6)
        await freeswitch.api(f"uuid_recv_dtmf {_uuid(tap)} 12#")
        await tap.hear(0.6)
        await freeswitch.api("hupall NORMAL_CLEARING")
        await tap.hear(8)
    server.close()
    return tap


def _uuid(tap: Tap) -> str:
    found = re.search(rb"Unique-ID: (\S+)", bytes(tap.heard))
    assert found
    return found[1].decode()


async def main() -> None:
    binary = find_binary()
    if binary is None:
        raise SystemExit("no FreeSWITCH: neither FREESWITCH nor the PATH names one")
    with tempfile.TemporaryDirectory() as folder:
        own = OwnFreeSwitch(binary, Path(folder), dialplans=(DIALPLAN,))
        await own.start()
        try:
            async with own.client() as freeswitch:
                version = (await freeswitch.api("version short")).strip()
            (await record_inbound(own)).save(f"inbound-{version}")
            (await record_outbound(own)).save(f"outbound-{version}")
        finally:
            await own.stop()
    print(f"recorded FreeSWITCH {version}; library {esl.__name__}")


if __name__ == "__main__":
    asyncio.run(main())
