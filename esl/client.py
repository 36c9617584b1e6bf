"""The inbound client: we connect to FreeSWITCH's event socket (port 8021)."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from esl import commands
from esl.backend import Backend, Link, Login, backend
from esl.backoff import Backoff
from esl.errors import AccessDenied, EslError, LinkError, LinkLost, NotConnected, WrongPassword
from esl.peer import DEFAULT_TIMEOUT_S, Peer, log
from esl.streams import DEFAULT_SIZE, EventStream

_OWN_EVENTS = ("BACKGROUND_JOB",)
"""What the client itself needs; with filters set these must pass as well."""


class Client(Peer):
    """A login at FreeSWITCH that comes back by itself when the link is lost.

    ::

        async with Client("127.0.0.1", 8021, password="...") as freeswitch:
            print(await freeswitch.api("status"))
            with await freeswitch.subscribe("CHANNEL_HANGUP_COMPLETE") as events:
                async for event in events:
                    print(event.uuid, event["Hangup-Cause"])

    The first connect raises when it fails.  Afterwards a lost link fails the commands that
    were on their way (:class:`~esl.errors.LinkLost`), is made again with growing pauses, and
    gets its subscriptions and filters back.  Events of the time in between are lost; the
    streams stay open, and :attr:`generation` tells how often the link was made.

    After ``keep_alive`` seconds without a command a small one is sent; no reply in ``timeout``
    seconds means that the peer is dead (frozen, or gone without a FIN).
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 8021,
        password: str = "",
        *,
        user: str = "",
        timeout: float = DEFAULT_TIMEOUT_S,
        keep_alive: float = 20.0,
        backoff: Backoff | None = None,
        transport: Backend | None = None,
    ) -> None:
        super().__init__(timeout)
        self.generation = 0
        self._login = Login(host, port, password, user)
        self._keep_alive = keep_alive
        self._backoff = backoff or Backoff()
        self._transport = transport or backend()
        self._subscriptions: list[tuple[str, ...]] = []
        self._filters: list[tuple[str, str]] = []
        self._up = asyncio.Event()
        self._down = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None

    # --- life

    async def connect(self) -> None:
        """Connect and log in.

        Raises :class:`~esl.errors.ConnectFailed`, :class:`~esl.errors.AccessDenied`,
        :class:`~esl.errors.WrongPassword`.
        """
        await self._open()
        self._keeper = asyncio.create_task(self._keep(), name="esl client")

    async def close(self) -> None:
        """Log out; streams end after what they hold."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        await self._close_link()
        self._lose_jobs(LinkLost("the client was closed"))
        for stream in tuple(self._streams):
            stream.finish()

    @property
    def connected(self) -> bool:
        """True while commands can be sent."""
        return self._link is not None

    async def wait_connected(self, timeout: float) -> None:
        """Wait for the link to come back.  Raises :class:`~esl.errors.NotConnected`."""
        try:
            async with asyncio.timeout(timeout):
                await self._up.wait()
        except TimeoutError:
            raise NotConnected(f"the link did not come back in {timeout:g} s") from None

    async def __aenter__(self) -> Client:
        await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    # --- events

    async def subscribe(self, *names: str, size: int = DEFAULT_SIZE) -> EventStream:
        """A stream of events; behind ``CUSTOM`` stand subclasses, ``ALL`` is everything.

        Raises :class:`~esl.errors.CommandFailed` for a name that FreeSWITCH does not know.
        """
        await self.tell(commands.event(*names))
        if names not in self._subscriptions:
            self._subscriptions.append(names)
        return self.listen(*names, size=size)

    async def unsubscribe(self, *names: str) -> None:
        """Take a subscription back, written as it was made; its streams stay open and silent."""
        await self.tell(commands.nixevent(*names))
        if names in self._subscriptions:
            self._subscriptions.remove(names)

    async def filter(self, header: str, value: str) -> None:
        """Let only events pass with ``header`` equal to ``value`` (several: any of them).

        A filter holds for the whole connection and would hide the results of jobs, so those
        are let through first (``event_handler`` of mod_event_socket.c).
        """
        if not self._filters:
            await self._let_own_events_pass()
        await self.tell(commands.event_filter(header, value))
        self._filters.append((header, value))

    async def unfilter(self) -> None:
        """Take back every filter."""
        await self.tell(commands.event_filter_delete("all"))
        self._filters.clear()

    async def _let_own_events_pass(self) -> None:
        for name in _OWN_EVENTS:
            await self.tell(commands.event_filter("Event-Name", name))

    # --- the link

    async def _open(self) -> None:
        link = await self._transport.log_in(self._login, self.timeout)
        link.on_message, link.on_lost = self._on_message, self._on_lost
        self._down.clear()
        self._link = link
        try:
            await self._restore()
        except EslError:
            await self._close_link()
            raise
        self.generation += 1
        self._up.set()

    async def _restore(self) -> None:
        await self.tell(commands.event(*_OWN_EVENTS))
        for names in self._subscriptions:
            await self.tell(commands.event(*names))
        if self._filters:
            await self._let_own_events_pass()
        for header, value in self._filters:
            await self.tell(commands.event_filter(header, value))

    async def _close_link(self) -> None:
        link, self._link = self._link, None
        self._up.clear()
        if link is not None:
            link.on_lost = _ignore
            await link.close()

    def _on_lost(self, error: EslError | None) -> None:
        log.warning("the link to FreeSWITCH is lost: %s", error or "it said goodbye")
        self._link = None
        self._up.clear()
        self._down.set()
        self._lose_jobs(error)

    async def _keep(self) -> None:
        """Probe the link while it is there, make it again when it is not."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._keep_alive):
                    await self._down.wait()
            if self._link is not None:
                await self._probe(self._link)
            if self._link is None:
                await self._reconnect()

    async def _probe(self, link: Link) -> None:
        try:
            await link.ask(commands.api("hostname"), self.timeout)
        except LinkError as error:
            if self._link is link:
                await self._close_link()
                self._on_lost(error)

    async def _reconnect(self) -> None:
        for delay in self._backoff.delays():
            await asyncio.sleep(delay)
            try:
                await self._open()
            except EslError as error:
                # Neither goes away by waiting: somebody has to do something.
                level = logging.WARNING if isinstance(error, (WrongPassword, AccessDenied)) else logging.INFO
                log.log(level, "FreeSWITCH is not back yet: %s", error)
            else:
                log.info("the link to FreeSWITCH is back")
                return


def _ignore(_: object) -> None:
    """A link that we close ourselves is not lost."""
