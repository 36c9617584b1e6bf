"""What both kinds of connection can do: API commands, background jobs, event streams."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable

from esl import commands
from esl.backend import Link
from esl.commands import Command
from esl.errors import CommandFailed, EslError, LinkLost, NotConnected
from esl.messages import Event, LogLine, Malformed, Message, Reply
from esl.streams import DEFAULT_SIZE, EventStream

log = logging.getLogger("esl")

DEFAULT_TIMEOUT_S = 10.0
"""How long a command may take unless its caller says otherwise, s."""


class Job:
    """A command in the background; its result comes with BACKGROUND_JOB."""

    def __init__(self, job_id: str, command: str, done: asyncio.Future[str]) -> None:
        self.id = job_id
        self.command = command
        self._done = done

    async def result(self, timeout: float | None = None) -> str:
        """The command's output.

        Raises :class:`~esl.errors.CommandFailed` for ``-ERR``, :class:`~esl.errors.LinkLost` when
        the link ended first (the command may have been carried out), :class:`TimeoutError`.
        """
        async with asyncio.timeout(timeout):
            text = await asyncio.shield(self._done)
        if text.startswith(("-ERR", "-USAGE")):
            raise CommandFailed(self.command, text.strip())
        return text


class Peer:
    """A FreeSWITCH at the other end of a link."""

    def __init__(self, timeout: float = DEFAULT_TIMEOUT_S) -> None:
        self.timeout = timeout
        self.malformed = 0
        """How many damaged messages were dropped."""
        self._link: Link | None = None
        self._jobs: dict[str, asyncio.Future[str]] = {}
        self._streams: list[EventStream] = []

    # --- commands

    async def ask(self, command: Command, timeout: float | None = None) -> Reply:
        """Send any command and wait for its reply, whatever it says.  Raises as ``Link.ask`` does."""
        return await self._ask(command, timeout)

    async def tell(self, command: Command, timeout: float | None = None) -> Reply:
        """The same, but ``-ERR`` raises :class:`~esl.errors.CommandFailed`."""
        reply = await self._ask(command, timeout)
        if not reply.ok:
            raise CommandFailed(command.shown, reply.text.strip())
        return reply

    async def api(self, command: str, timeout: float | None = None) -> str:
        """The output of API ``command``; it blocks the link until it is there."""
        reply = await self._ask(Command(f"api {command}"), timeout)
        if not reply.ok:
            raise CommandFailed(reply.command.shown, reply.text.strip())
        return reply.text

    async def bgapi(self, command: str, *, job_id: str = "", timeout: float | None = None) -> Job:
        """Start API ``command`` in the background; several can run at once."""
        job_id = job_id or str(uuid.uuid4())
        done: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        done.add_done_callback(_retrieve)
        self._jobs[job_id] = done
        try:
            await self.tell(commands.bgapi(command, job_id), timeout)
        except EslError:
            self._jobs.pop(job_id, None)
            raise
        return Job(job_id, command, done)

    async def get_variable(self, channel: str, name: str) -> str:
        """A channel variable, empty when it is not set.

        The plain ``getvar`` command writes the value into a header as it is
        (``parse_command``), where a newline would forge headers; this one counts bytes.
        """
        value = await self.api(f"uuid_getvar {channel} {name}")
        return "" if value == "_undef_" else value

    def _ask(self, command: Command, timeout: float | None) -> Awaitable[Reply]:
        if self._link is None:
            raise NotConnected(f"{command.shown!r} was not sent: there is no link")
        return self._link.ask(command, timeout or self.timeout)

    # --- events

    def listen(self, *names: str, size: int = DEFAULT_SIZE) -> EventStream:
        """A stream of events called ``names`` among those that were subscribed to already."""
        stream = EventStream(names, size=size, on_close=self._forget)
        self._streams.append(stream)
        return stream

    def _forget(self, stream: EventStream) -> None:
        if stream in self._streams:
            self._streams.remove(stream)

    # --- from the link

    def _on_message(self, message: Message) -> None:
        if isinstance(message, Event):
            self._on_event(message)
        elif isinstance(message, Malformed):
            self.malformed += 1
            log.warning("a damaged message from FreeSWITCH was dropped: %s", message.reason)
        elif isinstance(message, LogLine):
            self._on_log(message)

    def _on_event(self, event: Event) -> None:
        if event.name == "BACKGROUND_JOB":
            self._on_job(event)
        for stream in tuple(self._streams):
            stream.offer(event)

    def _on_log(self, line: LogLine) -> None:
        log.debug("FreeSWITCH: %s", line.text.rstrip())

    def _on_job(self, event: Event) -> None:
        done = self._jobs.pop(event.get("Job-UUID"), None)
        if done is not None and not done.done():
            done.set_result(event.body)

    def _lose_jobs(self, reason: EslError | None) -> None:
        jobs, self._jobs = self._jobs, {}
        for done in jobs.values():
            if not done.done():
                done.set_exception(LinkLost(f"the link ended before the job's result came: {reason}"))


def _retrieve(done: asyncio.Future[str]) -> None:
    """Nobody may be waiting for the result; asyncio shall not complain about that."""
    if not done.cancelled():
        done.exception()
