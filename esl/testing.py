"""A fake FreeSWITCH that speaks the event socket protocol over real sockets, for tests.

:class:`FakeFreeSwitch` is the inbound side (port 8021): it asks for a password, answers API
commands from a table, runs jobs and fires events.  :class:`FakeCall` is one call on the
outbound side: it connects to the server under test as ``socket host:port async full`` does.
The forms are those of mod_event_socket.c (1.10.12).
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

GREETING = b"Content-Type: auth/request\n\n"
_SAFE = " !#$&'()*+,-./:;<=>?@[]_~|"


def encode_event(headers: Mapping[str, str], body: str = "") -> bytes:
    """An event as ``event plain`` delivers it, with its outer frame."""
    lines = "".join(f"{name}: {quote(value, safe=_SAFE) or '_undef_'}\n" for name, value in headers.items())
    inner = lines.encode()
    raw = body.encode()
    inner += f"Content-Length: {len(raw)}\n\n".encode() + raw if raw else b"\n"
    return f"Content-Length: {len(inner)}\nContent-Type: text/event-plain\n\n".encode() + inner


def encode_reply(text: str) -> bytes:
    """A command/reply."""
    return f"Content-Type: command/reply\nReply-Text: {text}\n\n".encode()


def encode_response(text: str) -> bytes:
    """An api/response."""
    raw = text.encode()
    return f"Content-Type: api/response\nContent-Length: {len(raw)}\n\n".encode() + raw


@dataclass(frozen=True)
class Asked:
    """A command as the fake received it."""

    line: str
    headers: Mapping[str, str]
    body: str = ""


async def read_command(reader: asyncio.StreamReader) -> Asked:
    """The next command.  Raises :class:`asyncio.IncompleteReadError` at the end."""
    raw = (await reader.readuntil(b"\n\n")).decode().strip("\n")
    line, *rest = raw.split("\n")
    headers = {name.lower(): value for name, value in (item.split(": ", 1) for item in rest)}
    length = int(headers.get("content-length", "0"))
    body = (await reader.readexactly(length)).decode() if length else ""
    return Asked(line, headers, body)


Answer = str | Callable[[str], str] | Callable[[str], Awaitable[str]]


@dataclass
class FakeFreeSwitch:
    """The inbound event socket.  ``answers`` maps the first word of an API command to its output."""

    password: str = "secret"
    answers: dict[str, Answer] = field(default_factory=dict)
    greeting: bytes = GREETING
    asked: list[Asked] = field(default_factory=list)
    silent: bool = False
    """True: commands are read and never answered."""
    port: int = 0

    def __post_init__(self) -> None:
        self._writers: set[asyncio.StreamWriter] = set()
        self._jobs: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> FakeFreeSwitch:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen on :attr:`port` (0: a free one)."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and drop every connection."""
        if self._server is not None:
            self._server.close()
        await self.drop()

    async def drop(self) -> None:
        """End every connection without a word."""
        for writer in tuple(self._writers):
            writer.close()
        await asyncio.sleep(0)

    def fire(self, headers: Mapping[str, str], body: str = "") -> None:
        """Send an event to everybody who is connected."""
        self.send(encode_event(headers, body))

    def send(self, data: bytes) -> None:
        """Send any bytes to everybody who is connected."""
        for writer in self._writers:
            writer.write(data)

    def lines(self) -> list[str]:
        """The first lines of all commands."""
        return [asked.line for asked in self.asked]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        writer.write(self.greeting)
        try:
            while True:
                asked = await read_command(reader)
                self.asked.append(asked)
                if not self.silent:
                    await self._answer(asked, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        verb, _, rest = asked.line.partition(" ")
        if verb == "api":
            writer.write(encode_response(await self._output(rest)))
        elif verb == "bgapi":
            job = asked.headers.get("job-uuid") or str(uuid.uuid4())
            writer.write(f"Content-Type: command/reply\nReply-Text: +OK Job-UUID: {job}\n".encode())
            writer.write(f"Job-UUID: {job}\n\n".encode())
            self._start(self._run_job(job, rest, writer))
        elif verb in ("auth", "userauth"):
            self._log_in(rest, writer)
        elif verb == "sendevent":
            self._echo(rest, asked, writer)
        else:
            writer.write(encode_reply("+OK"))

    def _echo(self, name: str, asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(encode_reply(f"+OK {uuid.uuid4()}"))
        writer.write(encode_event({"Event-Name": name, **asked.headers}, asked.body))

    def _log_in(self, rest: str, writer: asyncio.StreamWriter) -> None:
        if rest.rpartition(":")[2] == self.password:
            writer.write(encode_reply("+OK accepted"))
        else:
            writer.write(encode_reply("-ERR invalid"))
            writer.write(b"Content-Type: text/disconnect-notice\nContent-Length: 4\n\nbye\n")
            writer.close()

    def _start(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)

    async def _run_job(self, job: str, command: str, writer: asyncio.StreamWriter) -> None:
        output = await self._output(command)
        name = command.partition(" ")[0]
        event = {"Event-Name": "BACKGROUND_JOB", "Job-UUID": job, "Job-Command": name}
        writer.write(encode_event(event, output))

    async def _output(self, command: str) -> str:
        verb = command.partition(" ")[0]
        answer = self.answers.get(verb, f"-ERR {verb} Command not found!\n")
        if isinstance(answer, str):
            return answer
        made = answer(command)
        return made if isinstance(made, str) else await made


class FakeCall:
    """One call of a fake FreeSWITCH on a server's outbound socket.

    Applications end at once unless :attr:`durations` (seconds, by application) says otherwise;
    locked ones run one after another, as ``event-lock`` makes them.  :attr:`completions` adds
    headers, by application, to their CHANNEL_EXECUTE_COMPLETE.
    """

    def __init__(self, data: Mapping[str, str] | None = None, *, channel: str = "") -> None:
        self.uuid = channel or str(uuid.uuid4())
        self.data = {"Event-Name": "CHANNEL_DATA", "Unique-ID": self.uuid, **(data or {})}
        self.asked: list[Asked] = []
        self.durations: dict[str, float] = {}
        self.completions: dict[str, Mapping[str, str]] = {}
        self.variables: dict[str, str] = {}
        self.lingers = False
        self.closed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._lock = asyncio.Lock()

    async def connect(self, host: str, port: int) -> FakeCall:
        """Connect to the server under test."""
        self._reader, self._writer = await asyncio.open_connection(host, port)
        self._spawn(self._serve())
        return self

    def send(self, data: bytes) -> None:
        """Send any bytes."""
        self._writer.write(data)

    def fire(self, name: str, headers: Mapping[str, str] | None = None, body: str = "") -> None:
        """An event of this call."""
        self.send(encode_event({"Event-Name": name, "Unique-ID": self.uuid, **(headers or {})}, body))

    def hang_up(self, cause: str = "NORMAL_CLEARING") -> None:
        """The caller hangs up: event, linger notice, last event, goodbye."""
        self.fire("CHANNEL_HANGUP", {"Hangup-Cause": cause})
        if self.lingers:
            notice = "Content-Disposition: linger\nChannel-Name: fake\nLinger-Time: 5\nContent-Length: 0\n\n"
            self.send(f"Content-Type: text/disconnect-notice\n{notice}".encode())
        self.fire("CHANNEL_HANGUP_COMPLETE", {"Hangup-Cause": cause})
        self.send(b"Content-Type: text/disconnect-notice\nContent-Disposition: disconnect\n")
        self.send(b"Content-Length: 4\n\nbye\n")
        self._writer.close()

    def drop(self) -> None:
        """The socket ends without a word."""
        self._writer.close()

    def executed(self) -> list[tuple[str, str]]:
        """Applications and arguments in the order they were asked for."""
        return [
            (asked.headers["execute-app-name"], asked.body)
            for asked in self.asked
            if "execute-app-name" in asked.headers
        ]

    async def _serve(self) -> None:
        try:
            while True:
                asked = await read_command(self._reader)
                self.asked.append(asked)
                self._answer(asked)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writer.close()
            self.closed.set()

    def _answer(self, asked: Asked) -> None:
        verb, _, rest = asked.line.partition(" ")
        if verb == "connect":
            self.send(self._connect_reply())
        elif verb == "api":
            self.send(encode_response(self._api(rest)))
        elif verb == "bgapi":
            self._job(asked, rest)
        else:
            self.lingers = self.lingers or verb == "linger"
            self.send(encode_reply("+OK"))
        if asked.headers.get("call-command") == "execute":
            self._spawn(self._execute(asked))
        elif asked.headers.get("call-command") == "hangup":
            self.hang_up(asked.headers.get("hangup-cause", "NORMAL_CLEARING"))

    def _connect_reply(self) -> bytes:
        headers = {**self.data, "Content-Type": "command/reply", "Reply-Text": "+OK\n"}
        headers |= {"Socket-Mode": "async", "Control": "full"}
        lines = "".join(f"{name}: {quote(value, safe=_SAFE)}\n" for name, value in headers.items())
        return lines.encode() + b"\n"

    def _api(self, command: str) -> str:
        verb, _, rest = command.partition(" ")
        if verb == "uuid_setvar":
            name, _, value = rest.partition(" ")[2].partition(" ")
            self.variables[name] = value
        if verb == "uuid_getvar":
            return self.variables.get(rest.split(" ")[1], "_undef_")
        return "+OK\n"

    def _job(self, asked: Asked, command: str) -> None:
        job = asked.headers["job-uuid"]
        self.send(f"Content-Type: command/reply\nReply-Text: +OK Job-UUID: {job}\n".encode())
        self.send(f"Job-UUID: {job}\n\n".encode())
        event = {"Event-Name": "BACKGROUND_JOB", "Job-UUID": job, "Job-Owner-UUID": self.uuid}
        self.send(encode_event(event, self._api(command)))

    async def _execute(self, asked: Asked) -> None:
        if asked.headers.get("event-lock") == "true":
            async with self._lock:
                await self._run(asked)
        else:
            await self._run(asked)

    async def _run(self, asked: Asked) -> None:
        name = asked.headers["execute-app-name"]
        told = {"Application": name, "Application-Data": asked.body}
        told |= {"Application-UUID": asked.headers.get("event-uuid", "")}
        self.fire("CHANNEL_EXECUTE", told)
        await asyncio.sleep(self.durations.get(name, 0))
        if name == "set":
            variable, _, value = asked.body.partition("=")
            self.variables[variable] = value
        self.fire("CHANNEL_EXECUTE_COMPLETE", {**told, **self.completions.get(name, {})})

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
