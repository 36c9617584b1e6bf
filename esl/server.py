"""The outbound server: FreeSWITCH connects to us, one socket for each call."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from esl.backend import Backend, Link, Listener, backend
from esl.errors import EslError
from esl.peer import DEFAULT_TIMEOUT_S, log
from esl.session import Session

Handler = Callable[[Session], Awaitable[None]]


class Server:
    """Runs ``handler`` for each call that ``socket host:port async full`` brings.

    When the handler returns, the socket is closed.  An error of one handler is logged and
    ends that call's socket only.  Over ``max_sessions`` the socket is closed at once, so that
    the caller goes on in the dialplan instead of waiting.
    """

    def __init__(
        self,
        handler: Handler,
        host: str = "127.0.0.1",
        port: int = 8084,
        *,
        max_sessions: int = 1000,
        timeout: float = DEFAULT_TIMEOUT_S,
        transport: Backend | None = None,
    ) -> None:
        self._handler = handler
        self._host, self._port = host, port
        self._max_sessions = max_sessions
        self._timeout = timeout
        self._transport = transport or backend()
        self._listener: Listener | None = None
        self._running: set[asyncio.Task[None]] = set()

    async def start(self) -> tuple[str, int]:
        """Listen; answers host and port (port 0 takes a free one).  Raises :class:`OSError`."""
        self._listener = await self._transport.listen(self._host, self._port, self._accept)
        return self._listener.address

    async def stop(self) -> None:
        """Take no more calls; those that run go on."""
        if self._listener is not None:
            await self._listener.close()
            self._listener = None

    async def close(self) -> None:
        """Take no more calls and end the handlers of those that run."""
        await self.stop()
        for task in tuple(self._running):
            task.cancel()
        if self._running:
            await asyncio.wait(self._running)

    @property
    def sessions(self) -> int:
        """How many calls run now."""
        return len(self._running)

    async def __aenter__(self) -> Server:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _accept(self, link: Link) -> None:
        work = self._run(link) if len(self._running) < self._max_sessions else _refuse(link)
        task = asyncio.get_running_loop().create_task(work, name="esl session")
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _run(self, link: Link) -> None:
        session = Session(link, self._timeout)
        try:
            await session.open()
            await self._handler(session)
        except EslError as error:
            log.warning("the session of call %s ended early: %s", session.uuid or "(unknown)", error)
        except Exception:
            log.exception("the handler of call %s failed", session.uuid or "(unknown)")
        finally:
            await session.close()


async def _refuse(link: Link) -> None:
    log.warning("a call was refused: too many sessions")
    await link.close()
