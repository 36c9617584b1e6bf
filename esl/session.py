"""One call on FreeSWITCH's outbound socket (``socket host:port async full``)."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import Mapping

from esl import commands
from esl.backend import Link
from esl.errors import CommandFailed, EslError, LinkError, SessionGone
from esl.headers import Headers
from esl.messages import Disconnect, Event, Message
from esl.peer import DEFAULT_TIMEOUT_S, Peer
from esl.streams import EventStream

LINGER_S = 5
"""How long FreeSWITCH keeps the socket after the hang-up, so that the last events arrive, s."""

_ENDS = ("CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE")
_JOB_EVENTS = ("BACKGROUND_JOB",)


class Session(Peer):
    """The call that FreeSWITCH handed to us, and the only one on this socket.

    :attr:`data` is the channel as it was when it was handed over.  :attr:`ended` becomes true
    with the hang-up or with the end of the socket; everything that waits then raises
    :class:`~esl.errors.SessionGone`.
    """

    def __init__(self, link: Link, timeout: float = DEFAULT_TIMEOUT_S) -> None:
        super().__init__(timeout)
        self.data: Headers = Headers({})
        self.cause = ""
        """The hang-up cause; empty while it is not known."""
        self.lost = ""
        """Why the socket ended, where FreeSWITCH told neither a hang-up nor its goodbye; set before :attr:`ended`."""
        self._event_prefix = str(uuid.uuid4())
        self._executed = itertools.count(1)
        self._completions: dict[str, asyncio.Future[Event]] = {}
        self._ended = asyncio.Event()
        self._closed = asyncio.Event()
        self._link = link
        link.on_message, link.on_lost = self._on_message, self._on_lost

    # --- life

    async def open(self) -> None:
        """``connect``, ``linger`` and ``myevents``; FreeSWITCH waits 25 s for the first.

        Raises :class:`~esl.errors.LinkError`, :class:`~esl.errors.CommandFailed`.
        """
        reply = await self.tell(commands.connect())
        self.data = reply.headers
        await self.tell(commands.linger(LINGER_S))
        await self.tell(commands.my_events())
        await self.subscribe(*_JOB_EVENTS)

    async def close(self) -> None:
        """End the socket.  The call goes on in the dialplan when ``socket_resume`` is set, else it ends."""
        if self._link is not None:
            await self._link.close()

    @property
    def uuid(self) -> str:
        """The channel's uuid."""
        return self.data.get("Unique-ID", "")

    @property
    def ended(self) -> bool:
        """True after the hang-up or the end of the socket."""
        return self._ended.is_set()

    async def wait_ended(self) -> None:
        """Wait for the hang-up or the end of the socket."""
        await self._ended.wait()

    async def wait_closed(self) -> None:
        """Wait for the end of the socket, after the last event."""
        await self._closed.wait()

    def variable(self, name: str, default: str = "") -> str:
        """A channel variable as it was when the call was handed over."""
        return self.data.get(f"variable_{name}", default)

    # --- what a call can do

    async def execute(
        self, application: str, argument: str = "", *, lock: bool = True, timeout: float | None = None
    ) -> Event:
        """Run an application and wait for its end, however many run at once.

        The completion is found by an Event-UUID of our own, never by the application's name.
        ``timeout`` None waits as long as the call lasts.  Raises
        :class:`~esl.errors.SessionGone`, :class:`~esl.errors.CommandFailed`, :class:`TimeoutError`.
        """
        event_id, done = await self._begin(application, argument, lock)
        try:
            if timeout is None:
                return await done
            async with asyncio.timeout(timeout):
                return await done
        finally:
            self._completions.pop(event_id, None)

    async def start(self, application: str, argument: str = "", *, lock: bool = True) -> None:
        """Run an application and do not wait for its end."""
        self._check()
        await self.tell(commands.execute(application, argument, lock=lock))

    async def message(self, call_command: str, fields: Mapping[str, str]) -> None:
        """Any other ``sendmsg`` to the call."""
        self._check()
        await self.tell(commands.message(call_command, fields))

    async def set_variable(self, name: str, value: str) -> None:
        """Set a channel variable before this returns.

        ``sendmsg execute set`` is carried out later than a following ``api``; ``uuid_setvar`` is
        not.  It takes one line, so a value with a newline goes the slower way and is awaited.
        """
        if "\n" in value or "\r" in value or not value:
            await self.execute("set", f"{name}={value}", timeout=self.timeout)
        else:
            await self.session_api("uuid_setvar", f"{name} {value}")

    async def session_api(self, command: str, arguments: str = "") -> str:
        """An API command whose first argument is this channel's uuid."""
        self._check()
        try:
            return await self.api(f"{command} {self.uuid} {arguments}".rstrip())
        except CommandFailed:
            self._check()
            raise

    async def hang_up(self, cause: str = "NORMAL_CLEARING") -> None:
        """End the call; does nothing when it has ended."""
        if not self.ended:
            await self._quietly(commands.hang_up(cause))

    async def resume(self) -> None:
        """Let the dialplan go on when this socket ends."""
        self._check()
        await self.tell(commands.resume())

    async def subscribe(self, *names: str) -> EventStream:
        """More kinds of events of this call (``CUSTOM`` with subclasses, ...)."""
        await self.tell(commands.event(*names))
        return self.listen(*names)

    # ---

    async def _begin(self, application: str, argument: str, lock: bool) -> tuple[str, asyncio.Future[Event]]:
        self._check()
        event_id = f"{self._event_prefix}-{next(self._executed)}"
        done: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        self._completions[event_id] = done
        try:
            await self.tell(commands.execute(application, argument, event_id=event_id, lock=lock))
        except EslError:
            self._completions.pop(event_id, None)
            raise
        return event_id, done

    async def _quietly(self, command: commands.Command) -> None:
        try:
            await self.ask(command)
        except LinkError:
            return

    def _check(self) -> None:
        if self.ended:
            raise SessionGone(self.cause)

    def _on_message(self, message: Message) -> None:
        super()._on_message(message)
        if isinstance(message, Disconnect):
            self._end()

    def _on_event(self, event: Event) -> None:
        if event.name == "CHANNEL_EXECUTE_COMPLETE":
            self._complete(event)
        super()._on_event(event)
        if event.name in _ENDS and event.uuid == self.uuid:
            self.cause = event.get("Hangup-Cause", self.cause)
            self._end()

    def _complete(self, event: Event) -> None:
        done = self._completions.get(event.get("Application-UUID"))
        if done is not None and not done.done():
            done.set_result(event)

    def _on_lost(self, error: EslError | None) -> None:
        self._link = None
        if error is not None and not self.ended:
            self.lost = str(error)
        self._end()
        self._lose_jobs(error)
        for stream in tuple(self._streams):
            stream.finish()
        self._closed.set()

    def _end(self) -> None:
        self._ended.set()
        for done in self._completions.values():
            if not done.done():
                done.set_exception(SessionGone(self.cause))
                done.exception()  # looked at: nobody may be waiting any more
