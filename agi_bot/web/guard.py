"""What is refused before anything is parsed: bodies that are too long or too deep."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

DEEPEST = 16
"""Levels of objects and lists in a body."""


class Guard:
    """An ASGI application in front of ``app``; a path that ends with ``/import`` may bring a whole list."""

    def __init__(self, app: App, max_body: int) -> None:
        self._app = app
        self._max = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or str(scope["path"]).endswith("/import"):
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
    deepest = level = 0
    text = escaped = False
    for byte in body:
        if text:
            text = escaped or byte != 0x22
            escaped = not escaped and byte == 0x5C
        elif byte == 0x22:
            text = True
        elif byte in b"[{":
            level += 1
            deepest = max(deepest, level)
            if deepest > enough:
                break
        elif byte in b"]}":
            level -= 1
    return deepest


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
