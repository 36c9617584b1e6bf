"""Asterisk's part of one call, played by ourselves: FastAGI and AudioSocket from the other side.

For machines without an Asterisk and for tests.  Only what a bot can see is played; what
Asterisk answers was measured on 22.10.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from uuid import UUID, uuid4

from agi_bot.audio import Frame
from agi_bot.contracts import Digit
from agi_bot.errors import ProtocolError
from agi_bot.pbx.audiosocket import protocol
from agi_bot.pbx.media.inbox import Inbox

DEAD = b"511 Command Not Permitted on a dead channel or intercept routine\n"


class SimulatedChannel:
    """One caller: :meth:`run` hands the call to the bot, the other methods are the person's.

    ``variables`` are the channel's; after :meth:`run` they hold what the bot left there.
    """

    def __init__(
        self,
        *,
        caller: str = "1001",
        called: str = "100",
        arguments: Sequence[str] = (),
        variables: Mapping[str, str] | None = None,
        unique_id: str = "",
    ) -> None:
        self.unique_id = unique_id or f"simulated.{uuid4().hex[:8]}"
        self.name = f"Simulated/{caller}-{self.unique_id[-8:]}"
        self.caller = caller
        self.called = called
        self.arguments = tuple(arguments)
        self.variables = dict(variables or {})
        self.commands: list[list[str]] = []
        self.answered = False
        self.ended_by = ""
        self.connected = asyncio.Event()
        self._gone = asyncio.Event()
        self._heard = Inbox(10**6)
        self._audio: asyncio.StreamWriter | None = None
        self._agi: asyncio.StreamWriter | None = None

    # --- the person's side ---

    def speak(self, *frames: Frame) -> None:
        """Send ``frames`` now."""
        if self._audio is not None:
            self._audio.write(b"".join(map(protocol.encode, frames)))

    def press(self, key: str) -> None:
        """Press a key."""
        if self._audio is not None:
            self._audio.write(protocol.encode(Digit(key)))

    def heard(self) -> AsyncIterator[Frame | Digit]:
        """What the bot sends, frame by frame, until the sound's connection ends."""
        return self._heard.items()

    def hang_up(self) -> None:
        """The person hangs up: the sound ends, then AGI is told."""
        self._end("caller")
        if self._agi is not None and not self._agi.is_closing():
            self._agi.write(b"HANGUP\n")

    # --- Asterisk's side ---

    async def run(self, host: str, port: int, script: str = "agi-bot") -> str:
        """Run ``AGI(agi://host:port/script,arguments...)``; answers its AGISTATUS."""
        try:
            reader, self._agi = await asyncio.open_connection(host, port)
        except OSError:
            return "FAILURE"
        try:
            self._agi.write(self._header(host, script))
            while command := await reader.readline():
                self._agi.write(await self._carry_out(split(command.decode("utf-8").rstrip("\n"))))
        except ConnectionError:
            return "FAILURE"
        finally:
            self._agi.close()
        return "HANGUP" if self._gone.is_set() else "SUCCESS"

    def _header(self, host: str, script: str) -> bytes:
        lines = {
            "network": "yes",
            "network_script": script,
            "request": f"agi://{host}/{script}",
            "channel": self.name,
            "uniqueid": self.unique_id,
            "version": "22.10.1",
            "callerid": self.caller or "unknown",
            "dnid": "unknown",
            "extension": self.called,
            "enhanced": "0.0",
            **{f"arg_{place}": value for place, value in enumerate(self.arguments, 1)},
        }
        return "".join(f"agi_{name}: {value}\n" for name, value in lines.items()).encode() + b"\n"

    async def _carry_out(self, words: list[str]) -> bytes:
        self.commands.append(words)
        verb = words[0].upper()
        if verb == "SET" and words[1].upper() == "VARIABLE":
            self.variables[words[2]] = words[3]
            return b"200 result=1\n"
        if verb == "GET":
            return self._variable(words[2])
        if self._gone.is_set():
            return DEAD
        if verb == "HANGUP":
            self._end("bot")
            return b"200 result=1\n"
        if verb == "EXEC":
            return await self._audio_socket(*words[2].split(","))
        self.answered = self.answered or verb == "ANSWER"
        return b"200 result=0\n"

    def _variable(self, name: str) -> bytes:
        value = self.variables.get(name)
        return b"200 result=0\n" if value is None else f"200 result=1 ({value})\n".encode()

    async def _audio_socket(self, uuid: str, where: str) -> bytes:
        host, _, port = where.rpartition(":")
        try:
            reader, self._audio = await asyncio.open_connection(host, int(port))
        except OSError:
            return b"200 result=-1\n"
        self._audio.write(protocol.encode(protocol.Hello(UUID(uuid))))
        self.connected.set()
        try:
            clean = await self._listen(reader)
        except (ConnectionError, ProtocolError):
            clean = False
        finally:
            self._heard.close()
            self._audio.close()
        return b"200 result=0\n" if clean and not self._gone.is_set() else b"200 result=-1\n"

    async def _listen(self, reader: asyncio.StreamReader) -> bool:
        """Hear what the bot sends; answers whether it ended in good order."""
        parser = _BotParser()
        while data := await reader.read(65536):
            parser.receive(data)
            for message in parser.messages():
                if isinstance(message, protocol.HangUp):
                    return True
                if isinstance(message, Frame):
                    self._heard.put(message)
        return True

    def _end(self, who: str) -> None:
        self.ended_by = self.ended_by or who
        self._gone.set()
        if self._audio is not None:
            with contextlib.suppress(ConnectionError):
                self._audio.close()


class _BotParser(protocol.Parser):
    """The bot sends no UUID."""

    def __init__(self) -> None:
        super().__init__()
        self._count = 1


def split(line: str) -> list[str]:
    """The words of an AGI command line, as Asterisk's ``parse_args`` finds them."""
    words: list[str] = []
    word: str | None = None
    quoted = escaped = False
    for mark in line:
        if escaped:
            word, escaped = (word or "") + mark, False
        elif mark == "\\":
            escaped = True
        elif mark == '"':
            word, quoted = word or "", not quoted
        elif mark in " \t" and not quoted:
            words += [] if word is None else [word]
            word = None
        else:
            word = (word or "") + mark
    return words if word is None else [*words, word]
