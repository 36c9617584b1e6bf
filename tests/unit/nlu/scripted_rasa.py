"""A web server that answers what a test wrote, also what no Rasa would answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType

Writer = asyncio.StreamWriter


@dataclass
class Request:
    """What came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: object


@dataclass
class Reply:
    """What goes out: ``status`` and ``body`` after ``delay_s``; ``drip_s`` between its bytes; ``cut`` ends early."""

    body: bytes = b"{}"
    status: int = 200
    delay_s: float = 0.0
    drip_s: float = 0.0
    cut: bool = False


@dataclass
class ScriptedRasa:
    """``script`` makes the reply to each request; ``seen`` keeps the requests."""

    script: Callable[[Request], Reply]
    seen: list[Request] = field(default_factory=list)
    connections: int = 0

    async def __aenter__(self) -> ScriptedRasa:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _serve(self, reader: asyncio.StreamReader, writer: Writer) -> None:
        self.connections += 1
        try:
            while request := await _request(reader):
                self.seen.append(request)
                await _send(writer, self.script(request))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


async def _request(reader: asyncio.StreamReader) -> Request | None:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}
    raw = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, path, headers, json.loads(raw) if raw else None)


async def _send(writer: Writer, reply: Reply) -> None:
    await asyncio.sleep(reply.delay_s)
    writer.write(f"HTTP/1.1 {reply.status} X\r\nContent-Length: {len(reply.body)}\r\n\r\n".encode())
    if reply.cut:
        writer.write(reply.body[: len(reply.body) // 2])
        raise ConnectionError
    for byte in reply.body if reply.drip_s else ():
        writer.write(bytes([byte]))
        await asyncio.sleep(reply.drip_s)
    if not reply.drip_s:
        writer.write(reply.body)
    await writer.drain()


def parsed(
    intent: str, confidence: float = 0.9, *, others: dict[str, float] | None = None, entities: object = ()
) -> Reply:
    """A good answer of ``/model/parse``."""
    ranking = [{"name": name, "confidence": share} for name, share in {intent: confidence, **(others or {})}.items()]
    body = {"text": "x", "intent": ranking[0], "intent_ranking": ranking, "entities": list(entities)}  # type: ignore[call-overload]
    return Reply(json.dumps(body).encode())
