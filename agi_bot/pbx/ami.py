"""Asterisk's manager interface (AMI), by way of panoramisk, fenced.

panoramisk 1.4 is the only library named here, and these are its fences: no action is ever
sent a second time (by itself it repeats what was unanswered when a link broke, which dials
one call twice); every wait has a time-out and ends when the link does; line ends in a
value are refused; a refused login is an error instead of endless new attempts in silence;
a link that does not answer a ping or its login is closed and made anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from panoramisk import Manager
from panoramisk.actions import Action

from agi_bot.errors import PbxDown, PbxError

log = logging.getLogger(__name__)

EVENTS = "system,call,user,dtmf"
"""Only what is used: the events of dialplan and RTCP would cost more than the calls."""

BYTES = "cp437"
"""panoramisk decodes chunk by chunk and would lose a character that the network cut in two,
so it is given a code of one character a byte.  Not Latin-1: its 0x85 and 0xa0, which are
common in Chinese UTF-8, count as white space and would be stripped."""

BOOT_S = 10.0
"""Asterisk takes logins before it has loaded its dialplan.  So long after a link has come back we wait for it to say
that it is ``FullyBooted``; a user without ``read = system`` is not told, s."""

Headers = Mapping[str, str | Sequence[str]]
Event = Mapping[str, str]
"""An event or a reply; names in lower case."""

Callback = Callable[[Event], None]


class AmiUnanswered(PbxError):
    """The action went out, but no answer came: it may or may not have been carried out."""


@dataclass(frozen=True, slots=True)
class AmiOptions:
    """Where Asterisk's AMI is and who we are (``manager.conf``).

    The user needs ``read = system,call,user,dtmf`` and
    ``write = system,call,originate,command,reporting``.
    """

    user: str
    secret: str
    host: str = "127.0.0.1"
    port: int = 5038
    connect_timeout_s: float = 5.0
    action_timeout_s: float = 5.0
    ping_s: float = 10.0
    reconnect_s: int = 1


class Ami:
    """One AMI link that comes back by itself; :meth:`connect` it first.

    ``lost`` and ``restored`` callbacks are told about the link.
    """

    def __init__(self, options: AmiOptions) -> None:
        self.options = options
        self._link: _Link | None = None
        self._callbacks: dict[str, list[Callback]] = {}
        self._lost: asyncio.Future[None] | None = None
        self._ready: asyncio.Future[None] | None = None
        self._pinging: asyncio.Task[None] | None = None
        self._up = asyncio.Event()
        self._booted = False
        self._boot_until = 0.0
        self.on_lost: list[Callable[[], None]] = []
        self.version = ""

    @property
    def connected(self) -> bool:
        """Logged in now."""
        return self._lost is not None

    @property
    def booting(self) -> bool:
        """The link is back, and Asterisk may not know its dialplan yet."""
        return self.connected and not self._booted and asyncio.get_running_loop().time() < self._boot_until

    async def connect(self) -> None:
        """Log in.  Raises :class:`PbxDown`; afterwards a lost link is restored by itself."""
        options = self.options
        check_headers({"Username": options.user, "Secret": options.secret})
        self._ready = asyncio.get_running_loop().create_future()
        self._link = _Link(self)
        self._link.connect()
        try:
            await asyncio.wait_for(self._ready, options.connect_timeout_s)
        except TimeoutError:
            await self.close()
            raise self._down("does not answer", "is that really an AMI port?") from None
        except PbxDown:
            await self.close()
            raise
        self._pinging = asyncio.create_task(self._ping())
        await self._learn_version()

    async def restored(self) -> None:
        """Returns as soon as the link is there: at once, or when it is back."""
        await self._up.wait()

    async def close(self) -> None:
        """Log off for good.  Idempotent."""
        if self._pinging is not None:
            self._pinging.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._pinging
            self._pinging = None
        if self._link is not None:
            self._link.end()
            self._link = None
        self._drop()

    def subscribe(self, event: str, callback: Callback) -> None:
        """Call ``callback`` for every event named ``event`` (letters' case does not matter)."""
        self._callbacks.setdefault(event.lower(), []).append(callback)

    async def action(self, name: str, headers: Headers | None = None, timeout_s: float | None = None) -> list[Event]:
        """Send an action once; answers its response and the events that belong to it.

        Raises :class:`ValueError` for a value with a line end, :class:`PbxDown` when it
        surely was not sent, :class:`AmiUnanswered` when it may have been.
        """
        fields = {"Action": name, **(headers or {})}
        check_headers(fields)
        lost = self._lost
        if self._link is None or lost is None:
            raise self._down("is not connected", "wait until it is back")
        action = _Action({key: _wire(value) for key, value in fields.items()})
        future = self._link.send_action(action)
        timeout = self.options.action_timeout_s if timeout_s is None else timeout_s
        try:
            await asyncio.wait({future, lost}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            if future.done():
                return _messages(future.result())
            why = "the link broke" if lost.done() else f"no answer in {timeout:g} s"
            raise AmiUnanswered(f"AMI action {name} was sent, but {why}")
        finally:
            self._link_forget(action)

    async def command(self, line: str) -> list[str]:
        """What Asterisk's console prints for ``line``; :class:`PbxError` when we may not ask."""
        answer = (await self.action("Command", {"Command": line}))[0]
        text = answer.get("output") or answer.get("content", "")
        if answer.get("response") not in ("Success", "Follows") and not text:
            raise PbxError(f"Asterisk refused {line!r}: {answer.get('message', '')}")
        return text.splitlines()

    def _link_forget(self, action: _Action) -> None:
        link = self._link
        if link is not None and link.protocol is not None and not action.future.done():
            link.protocol.responses.pop(action.id, None)

    async def _learn_version(self) -> None:
        with contextlib.suppress(PbxError):
            answer = (await self.action("CoreSettings"))[0]
            self.version = answer.get("asteriskversion", "")

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(self.options.ping_s)
            try:
                await self.action("Ping")
            except AmiUnanswered:
                log.warning("ami.frozen", extra={"reason": "no answer to a ping; making a new link"})
                self._abort()
            except PbxDown:
                continue

    def _abort(self) -> None:
        if self._link is not None and self._link.protocol is not None:
            self._link.protocol.transport.abort()

    def _down(self, what: str, cure: str) -> PbxDown:
        return PbxDown(f"Asterisk's AMI at {self.options.host}:{self.options.port} {what}", cure=cure)

    # --- told by the link ---

    def _unreachable(self, error: BaseException) -> None:
        if self._ready is not None and not self._ready.done():
            text = getattr(error, "strerror", None) or str(error)
            self._ready.set_exception(self._down(f"cannot be reached: {text}", "is manager.conf enabled there?"))

    def _login(self, success: bool, text: str) -> None:
        if not success:
            log.error("ami.login_refused", extra={"user": self.options.user, "reason": text})
            if self._ready is not None and not self._ready.done():
                cure = "compare user and secret with manager.conf, and its permit= lines with our address"
                self._ready.set_exception(self._down(f"refused the login: {text}", cure))
            return
        self._lost = asyncio.get_running_loop().create_future()
        self._up.set()
        if self._ready is not None and not self._ready.done():
            self._ready.set_result(None)
        else:
            self._boot_until = asyncio.get_running_loop().time() + BOOT_S
            log.info("ami.back")

    def _drop(self) -> None:
        if self._lost is None:
            return
        lost, self._lost = self._lost, None
        self._up.clear()
        lost.set_result(None)
        for callback in self.on_lost:
            callback()

    def _disconnected(self) -> None:
        if self._lost is not None:
            log.warning("ami.lost", extra={"retry_s": self.options.reconnect_s})
        self._drop()

    def _made(self) -> None:
        """A new connection: maybe with another Asterisk."""
        self._booted = False

    def _event(self, message: Mapping[str, Any]) -> None:
        name = str(message["event"]).lower()
        self._booted = self._booted or name == "fullybooted"
        callbacks = self._callbacks.get(name)
        if callbacks:
            event = _plain(message)
            for callback in callbacks:
                callback(event)


class _Everything:
    """panoramisk asks whether an unanswered action may be forgotten: always."""

    def __contains__(self, name: object) -> bool:
        return True


class _Link(Manager):  # type: ignore[misc]
    """panoramisk's manager with its hooks led to an :class:`Ami`."""

    def __init__(self, ami: Ami) -> None:
        options = ami.options
        silent = logging.getLogger(f"{__name__}.panoramisk")
        silent.setLevel(logging.CRITICAL + 1)  # we log the same things once, without tracebacks
        super().__init__(
            host=options.host,
            port=options.port,
            username=_wire(options.user),
            secret=_wire(options.secret),
            events=EVENTS,
            encoding=BYTES,
            ping_delay=10**6,
            ping_interval=10**6,
            reconnect_timeout=options.reconnect_s,
            forgetable_actions=_Everything(),
            loop=asyncio.get_running_loop(),
            log=silent,
            on_disconnect=lambda link, error: ami._disconnected(),
        )
        self._ami = ami
        self._ended = False
        self.register_event("*", lambda link, message: ami._event(message))

    def end(self) -> None:
        self._ended = True
        self.close()

    def connect(self, *args: Any, **kwargs: Any) -> Any:
        return None if self._ended else super().connect(*args, **kwargs)

    def connection_made(self, future: asyncio.Future[Any]) -> None:
        if self._ended and not future.cancelled() and future.exception() is None:
            future.result()[0].abort()
            return
        if (error := future.exception()) is not None:
            self._ami._unreachable(error)
        self._ami._made()
        super().connection_made(future)
        if error is None:
            self.loop.call_later(self._ami.options.connect_timeout_s, self._look, self.protocol)

    def _look(self, protocol: Any) -> None:
        """An Asterisk that accepts a connection and does not answer its login (frozen, booting) is asked anew."""
        if self._ended or protocol is not self.protocol or self.authenticated or protocol.transport.is_closing():
            return
        log.warning("ami.mute", extra={"reason": "no answer to the login; making a new link"})
        protocol.transport.abort()

    def login(self, future: asyncio.Future[Any]) -> Any:
        result = super().login(future)
        self._ami._login(bool(result), str(future.result().message))
        return result


class _Action(Action):  # type: ignore[misc]
    """An action that knows how many answers it gets; panoramisk guesses, and breaks the link on some."""

    @property
    def multi(self) -> bool:
        first = self.responses[0]
        if self["Action"] == "Originate":
            return bool(first.response == "Success")  # OriginateResponse will follow
        return str(first.eventlist).lower() == "start"


def check_headers(headers: Headers) -> None:
    """Raises :class:`ValueError` for a name or value that would become more than one header."""
    for name, value in headers.items():
        for text in (name, *([value] if isinstance(value, str) else value)):
            if any(mark in text for mark in "\r\n\0"):
                raise ValueError(f"AMI header {name!r}: a line end or NUL in {text[:60]!r}")


def variable(name: str, value: str) -> str:
    """``name=value`` for a ``Variable`` header, where Asterisk takes commas and quotes as its own."""
    return f"{name}=" + "".join("\\" + mark if mark in '\\",()[]' else mark for mark in value)


def _wire(value: str | Sequence[str]) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8").decode(BYTES)
    return [_wire(each) for each in value]


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(map(_text, value))
    return str(value).encode(BYTES, "replace").decode("utf-8", "replace")


def _plain(message: Mapping[str, Any]) -> Event:
    return {key.lower(): _text(value) for key, value in message.items()}


def _messages(result: Any) -> list[Event]:
    return [_plain(message) for message in (result if isinstance(result, list) else [result])]
