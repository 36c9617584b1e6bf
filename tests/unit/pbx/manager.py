"""Asterisk's side of AMI, as a test says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

Message = dict[str, str]


class Manager:
    """Asterisk's side of AMI: remembers every action, answers with :attr:`answer`."""

    def __init__(self) -> None:
        self.actions: list[Message] = []
        self.links: list[asyncio.StreamWriter] = []
        self.answer: Callable[[Message], list[str]] = lambda action: ["Response: Success"]
        self.login = "Response: Success\r\nMessage: Authentication accepted"
        self.mute = False

    async def start(self) -> None:
        self.server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = int(self.server.sockets[0].getsockname()[1])

    def names(self) -> list[str]:
        return [
            action["Action"] for action in self.actions if action["Action"] not in ("Login", "CoreSettings", "Ping")
        ]

    def send(self, message: str) -> None:
        self.links[-1].write(message.encode() + b"\r\n\r\n")

    def cut(self) -> None:
        for link in self.links:
            link.transport.abort()
        self.links.clear()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.links.append(writer)
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while True:
                block = (await reader.readuntil(b"\r\n\r\n")).decode()
                action = dict(line.split(": ", 1) for line in block.strip().split("\r\n") if ": " in line)
                self.actions.append(action)
                self._reply(action, writer)

    def _reply(self, action: Message, writer: asyncio.StreamWriter) -> None:
        replies = self.answer(action)
        if self.mute:
            return
        if action["Action"] == "Login":
            replies = [self.login]
        if action["Action"] == "CoreSettings":
            replies = ["Response: Success\r\nAsteriskVersion: 22.10.1"]
        for reply in replies:
            writer.write(f"{reply}\r\nActionID: {action['ActionID']}\r\n\r\n".encode())


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
