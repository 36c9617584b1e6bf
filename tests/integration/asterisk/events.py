"""The user events of phones.conf, as a test waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from agi_bot.demo.asterisk import Asterisk
from agi_bot.pbx.ami import Ami, AmiOptions


class Events:
    """Every UserEvent since the start; ``ami`` is there for actions."""

    def __init__(self, ami: Ami) -> None:
        self.ami = ami
        self.seen: list[Mapping[str, str]] = []
        self._news = asyncio.Condition()
        self._loop = asyncio.get_running_loop()
        ami.subscribe("UserEvent", self._take)

    def _take(self, event: Mapping[str, str]) -> None:
        self.seen.append(dict(event))
        self._loop.create_task(self._tell())

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    def of(self, kind: str, tag: str = "") -> list[Mapping[str, str]]:
        """Events of ``kind``; of one call only, when its ``tag`` is given."""
        return [one for one in self.seen if one["userevent"] == kind and (not tag or one.get("tag") == tag)]

    async def wait(self, kind: str, tag: str = "", *, count: int = 1, within_s: float = 30) -> list[Mapping[str, str]]:
        """Wait for ``count`` of them; TimeoutError tells how many came."""
        try:
            async with asyncio.timeout(within_s), self._news:
                await self._news.wait_for(lambda: len(self.of(kind, tag)) >= count)
        except TimeoutError:
            raise TimeoutError(f"{len(self.of(kind, tag))} of {count} {kind} events after {within_s} s") from None
        return self.of(kind, tag)

    async def dial(self, extension: str, tag: str, *, application: str = "Milliwatt", data: str = "") -> None:
        """A caller who makes noise (a Local channel) and dials ``extension`` of [phones]."""
        await self.ami.action(
            "Originate",
            {
                "Channel": f"Local/{extension}@phones/n",
                "Application": application,
                "Data": data,
                "Variable": f"__TAG={tag}",
                "Async": "true",
                "Timeout": "60000",
            },
            timeout_s=60,
        )


def ami_options(asterisk: Asterisk) -> AmiOptions:
    """How the AMI of the tests' Asterisk is reached."""
    return AmiOptions(asterisk.layout.user, asterisk.layout.secret, asterisk.host, asterisk.layout.ami)


@asynccontextmanager
async def listening(asterisk: Asterisk) -> AsyncIterator[Events]:
    """Log in and collect events."""
    ami = Ami(ami_options(asterisk))
    await ami.connect()
    try:
        yield Events(ami)
    finally:
        await ami.close()
