"""What is refused before anything is parsed: bodies that are too long or too deep."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import numpy as np

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

DEEPEST = 16
"""Levels of objects and lists in a body."""

LISTS = re.compile(r"/api/v1/(campaigns/[^/]+|do-not-call/[^/]+|consent)/import")
"""Where a POST may bring a whole list, which is written to disk as it comes, with a limit of its own."""

_TEXT = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)


class Guard:
    """An ASGI application in front of ``app``; a POST to one of :data:`LISTS` may bring a whole list."""

    def __init__(self, app: App, max_body: int) -> None:
        self._app = app
        self._max = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _brings_list(scope):
            await self._app(scope, receive, send)
            return
        body = await self._read(receive)
        if body is None:
            await _refuse(send, 413, f"the body is longer than {self._max} bytes")
        elif depth(body, DEEPEST) > DEEPEST:
            await _refuse(send, 400, f"the body is nested deeper than {DEEPEST} levels")
        else:
            await self._app(scope, _replay(body, receive), send)

    async def _read(self, receive: Receive) -> bytes | None:
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return b"".join(parts)
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self._max:
                return None
            if not message.get("more_body"):
                return b"".join(parts)


def depth(body: bytes, enough: int) -> int:
    """How deep JSON text is nested; no more exactly than that it is deeper than ``enough``."""
    if body.count(b"[") + body.count(b"{") <= enough:
        return 0
    signs = np.frombuffer(_TEXT.sub(b"", body), dtype=np.uint8)
    opens = (signs == ord("[")) | (signs == ord("{"))
    closes = (signs == ord("]")) | (signs == ord("}"))
    levels = np.cumsum(opens.astype(np.int32) - closes)
    return min(int(levels.max(initial=0)), enough + 1)


def _brings_list(scope: Scope) -> bool:
    return scope["method"] == "POST" and LISTS.fullmatch(str(scope["path"])) is not None


def _replay(body: bytes, receive: Receive) -> Receive:
    told = False

    async def again() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def _refuse(send: Send, status: int, message: str) -> None:
    body = json.dumps({"error": {"message": message, "fields": []}}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, (b"connection", b"close")]})
    await send({"type": "http.response.body", "body": body})
