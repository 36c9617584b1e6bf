"""The EAGI relay as a real process between a played Asterisk and a played bot; and the sound by files."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import pytest

from agi_bot.audio import Frame
from agi_bot.contracts import Digit
from agi_bot.errors import CallGone, PbxError
from agi_bot.pbx import eagi
from agi_bot.pbx.agi.protocol import Reply
from agi_bot.pbx.asterisk.eagi_media import EagiMedia
from agi_bot.pbx.audiosocket.protocol import Hello, Parser

HEADER = b"agi_request: agi-bot-eagi\nagi_enhanced: 1.0\nagi_arg_1: flow\n\n"


class Bot:
    """Two ports: what comes is kept, commands go out as the test says."""

    def __init__(self) -> None:
        self.agi = bytearray()
        self.sound = bytearray()
        self.agi_writer: asyncio.StreamWriter | None = None
        self.sound_ended = asyncio.Event()

    async def start(self) -> None:
        self._servers = [await asyncio.start_server(each, "127.0.0.1", 0) for each in (self._agi, self._sound)]
        self.agi_port, self.sound_port = (server.sockets[0].getsockname()[1] for server in self._servers)

    async def _agi(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.agi_writer = writer
        while data := await reader.read(4096):
            self.agi += data

    async def _sound(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(4096):
                self.sound += data
        self.sound_ended.set()
        writer.close()

    def close(self) -> None:
        for server in self._servers:
            server.close()
        if self.agi_writer is not None:
            self.agi_writer.close()


class Script:
    """The relay's process with Asterisk's ends of its pipes."""

    async def start(self, agi: int, sound: int) -> None:
        source, self.fd3 = os.pipe()
        os.set_inheritable(source, True)
        command = f"exec 3<&{source}; exec {sys.executable} -I {eagi.__file__}"
        self.process = await asyncio.create_subprocess_exec(
            *("bash", "-c", command),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            pass_fds=(source,),
            env={"PATH": os.environ["PATH"], "AGI_BOT_AGI": f"127.0.0.1:{agi}", "AGI_BOT_AUDIO": f"127.0.0.1:{sound}"},
        )
        os.close(source)
        assert self.process.stdin is not None
        self.process.stdin.write(HEADER)

    async def line(self) -> bytes:
        assert self.process.stdout is not None
        return await asyncio.wait_for(self.process.stdout.readline(), 30)


@pytest.fixture
async def bot() -> AsyncIterator[Bot]:
    made = Bot()
    await made.start()
    yield made
    made.close()


@pytest.fixture
async def script(bot: Bot) -> AsyncIterator[Script]:
    made = Script()
    await made.start(bot.agi_port, bot.sound_port)
    yield made
    os.close(made.fd3)
    with suppress(ProcessLookupError):
        made.process.kill()
    await made.process.wait()


async def until(true: object) -> None:
    async with asyncio.timeout(30):
        while not true():  # type: ignore[operator]  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_the_relay_passes_on_both_ways(bot: Bot, script: Script) -> None:
    await until(lambda: bot.agi.endswith(b"\n\n"))
    header = bytes(bot.agi).decode().splitlines()
    assert header[:3] == HEADER.decode().splitlines()[:3]
    uuid = UUID(header[3].removeprefix("agi_audiosocket: "))
    assert bot.agi_writer is not None
    bot.agi_writer.write(b"ANSWER\n")
    assert await script.line() == b"ANSWER\n"
    assert script.process.stdin is not None
    script.process.stdin.write(b"200 result=0\n")
    await until(lambda: bot.agi.endswith(b"200 result=0\n"))
    pcm = bytes(range(250)) * 8
    os.write(script.fd3, pcm[:333])
    os.write(script.fd3, pcm[333:])
    await until(lambda: len(bot.sound) >= 19 + len(pcm))
    await asyncio.sleep(0.05)
    parser = Parser()
    parser.receive(bytes(bot.sound))
    hello, *frames = parser.messages()
    assert hello == Hello(uuid)
    assert b"".join(frame.pcm for frame in frames if isinstance(frame, Frame)) == pcm


async def test_the_relay_ends_when_the_bot_does(bot: Bot, script: Script) -> None:
    await until(lambda: bot.agi.endswith(b"\n\n"))
    assert bot.agi_writer is not None
    bot.agi_writer.close()
    assert await asyncio.wait_for(script.process.wait(), 30) == 0


async def test_the_relay_tells_a_hang_up_and_ends_with_asterisk(bot: Bot, script: Script) -> None:
    await until(lambda: bot.agi.endswith(b"\n\n"))
    script.process.send_signal(signal.SIGHUP)
    await until(lambda: bot.agi.endswith(b"HANGUP\n"))
    assert script.process.stdin is not None
    script.process.stdin.close()
    assert await asyncio.wait_for(script.process.wait(), 30) == 0


async def test_without_a_bot_the_relay_fails_at_once() -> None:
    script = Script()
    await script.start(1, 1)
    assert await asyncio.wait_for(script.process.wait(), 30) == 1
    os.close(script.fd3)


# --- sound by files ---


class FakeLine:
    uuid = UUID(int=7)

    def __init__(self) -> None:
        self.ended = asyncio.Event()
        self.keys: list[str] = []

    def press(self, key: str) -> None:
        self.keys.append(key)


class FakeSession:
    """Plays files as slowly as the test wants; keeps what was in them."""

    def __init__(self, result: str = "0") -> None:
        self.hung_up = asyncio.Event()
        self.result = result
        self.played: list[bytes] = []
        self.commands: list[bytes] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def send(self, command: bytes, timeout_s: float | None = None) -> Reply:
        self.commands.append(command)
        self.played.append(Path(command.split()[2].decode() + ".sln").read_bytes())
        await self.gate.wait()
        return Reply(200, self.result)


def media(session: FakeSession, line: FakeLine, spool: Path, **options: bool) -> EagiMedia:
    options = {"keys_elsewhere": False, **options}
    return EagiMedia(line, session, str(spool), **options)  # type: ignore[arg-type]


async def frames(count: int) -> AsyncIterator[Frame]:
    for number in range(count):
        yield Frame(bytes((number % 256, 0)) * 160)


async def test_sound_is_played_in_files_of_two_seconds_and_they_are_removed(tmp_path: Path) -> None:
    session, line = FakeSession(), FakeLine()
    await media(session, line, tmp_path).play(frames(250))
    assert [len(each) for each in session.played] == [32000, 32000, 16000]
    assert b"".join(session.played) == b"".join([frame.pcm async for frame in frames(250)])
    assert list(tmp_path.iterdir()) == []


async def test_a_key_that_ends_a_file_is_heard(tmp_path: Path) -> None:
    session, line = FakeSession(result="53"), FakeLine()
    await media(session, line, tmp_path).play(frames(1))
    assert line.keys == ["5"]
    assert b"0123456789*#ABCD" in session.commands[0]
    await media(session, line, tmp_path, keys_elsewhere=True).play(frames(1))
    assert session.commands[1].endswith(b' ""\n')


async def test_a_cancelled_play_lets_only_the_running_file_end(tmp_path: Path) -> None:
    session, line = FakeSession(), FakeLine()
    session.gate.clear()
    sound = media(session, line, tmp_path)
    playing = asyncio.create_task(sound.play(frames(500)))
    await until(lambda: session.played)
    playing.cancel()
    with suppress(asyncio.CancelledError):
        await playing
    session.gate.set()
    await sound.play(frames(1))
    assert [len(each) for each in session.played] == [32000, 320]
    assert list(tmp_path.iterdir()) == []


async def test_a_hang_up_ends_the_play(tmp_path: Path) -> None:
    session, line = FakeSession(result="-1"), FakeLine()
    session.hung_up.set()
    with pytest.raises(CallGone):
        await media(session, line, tmp_path).play(frames(1))


async def test_a_folder_that_nobody_can_use_is_told_with_its_cure(tmp_path: Path) -> None:
    with pytest.raises(PbxError, match=r"asterisk\.spool"):
        await media(FakeSession(), FakeLine(), tmp_path / "nowhere").play(frames(1))
    with pytest.raises(PbxError, match="folder that it can read"):
        await media(FakeSession(result="-1"), FakeLine(), tmp_path).play(frames(1))


async def test_sound_at_another_rate_is_refused(tmp_path: Path) -> None:
    async def wrong() -> AsyncIterator[Frame | Digit]:
        yield Frame(bytes(640), 16000)

    with pytest.raises(ValueError, match="8000 Hz"):
        await media(FakeSession(), FakeLine(), tmp_path).play(wrong())  # type: ignore[arg-type]
