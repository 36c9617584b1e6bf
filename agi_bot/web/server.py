"""HTTP inside the bot's own loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from agi_bot.errors import ConfigError
from agi_bot.web.guard import App

STOP_S = 5
"""How long requests may take that run when the bot is stopped, s."""


@dataclass(frozen=True, slots=True)
class Tls:
    """PEM files of a certificate and its key."""

    certificate: Path
    key: Path | None = None


class _Server(uvicorn.Server):
    """Signals belong to the bot."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(app: App, host: str, port: int, tls: Tls | None = None) -> AsyncIterator[str]:
    """Answer HTTP inside the block; its URL.  Raises :class:`~agi_bot.errors.ConfigError`."""
    listener = _listen(host, port)
    url = f"{'https' if tls else 'http'}://{host}:{listener.getsockname()[1]}"
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=STOP_S,
        ssl_certfile=tls.certificate if tls else None,
        ssl_keyfile=tls.key if tls else None,
    )
    server = _Server(config)
    try:
        _load(config, tls)
    except ConfigError:
        listener.close()
        raise
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started and not running.done():  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        yield url
    finally:
        server.should_exit = True
        await running


def _listen(host: str, port: int) -> socket.socket:
    # With the protocol named: asyncio turns Nagle's algorithm off only then, which costs 40 ms an answer.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(512)
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"web: {host}:{port}: {error.strerror}", cure="choose another web.host or web.port"
        ) from error
    return listener


def _load(config: uvicorn.Config, tls: Tls | None) -> None:
    try:
        config.load()
    except OSError as error:  # ssl.SSLError is one
        where = tls.certificate if tls else ""
        raise ConfigError(f"web.certificate: {where}: {error}", cure="PEM files of certificate and key") from error
