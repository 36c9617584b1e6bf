"""The promise of a transport, and the choice between the two that keep it.

``native`` is asyncio over this library's own parser; ``greenswitch`` runs the greenswitch
package in one thread (extra ``greenswitch``).  Both pass the same contract suite.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from esl.commands import Command
from esl.errors import EslError
from esl.messages import Message, Reply

BACKENDS = ("native", "greenswitch")


@dataclass(frozen=True, slots=True)
class Login:
    """Where an inbound socket is and how to log in; ``user`` is ``name@domain`` or empty."""

    host: str
    port: int
    password: str
    user: str = ""


class Link(Protocol):
    """One connection that is ready for commands.

    ``on_message`` gets every message but replies, in order; ``on_lost`` is called once, with
    None after a goodbye.  Both may be set before the first await after the link was given out.
    """

    on_message: Callable[[Message], None]
    on_lost: Callable[[EslError | None], None]

    def ask(self, command: Command, timeout: float) -> Awaitable[Reply]:
        """Send ``command``; awaiting what it returns waits for the reply.

        Raises :class:`~esl.errors.NotConnected` (surely not sent),
        :class:`~esl.errors.LinkLost` or :class:`~esl.errors.CommandTimeout` (may have been
        carried out), :class:`~esl.errors.LocalProtocolError`.
        """

    async def close(self) -> None:
        """Close the socket; idempotent."""


class Listener(Protocol):
    """A socket that takes FreeSWITCH's outbound connections."""

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that are listened on."""

    async def close(self) -> None:
        """Take no more connections; those that run go on."""


class Backend(Protocol):
    """A transport."""

    @property
    def name(self) -> str:
        """``native`` or ``greenswitch``."""

    async def log_in(self, login: Login, timeout: float) -> Link:
        """An inbound link after ``auth``.

        Raises :class:`~esl.errors.ConnectFailed`, :class:`~esl.errors.AccessDenied`,
        :class:`~esl.errors.WrongPassword`.
        """

    async def listen(self, host: str, port: int, accept: Callable[[Link], None]) -> Listener:
        """Take outbound connections; ``accept`` is called in the loop for each."""


def backend(name: str = "native") -> Backend:
    """The backend called ``name``.  Raises :class:`ValueError` for an unknown one."""
    if name == "native":
        from esl.link import NativeBackend

        return NativeBackend()
    if name == "greenswitch":
        from esl.green import GreenBackend

        return GreenBackend()
    raise ValueError(f"no such backend: {name!r} (there are {', '.join(BACKENDS)})")
