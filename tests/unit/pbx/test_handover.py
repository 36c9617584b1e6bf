"""Handing a call over, with panoramisk's own FastAGI application and a played Asterisk."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from panoramisk import fast_agi

from agi_bot.pbx.handover import Talk, hand_over

HEADER = b"agi_network: yes\nagi_network_script: start\nagi_channel: PJSIP/a-1\n\n"


class Application:
    """A panoramisk application that hands its call over."""

    def __init__(self) -> None:
        self.talk: asyncio.Future[Talk] = asyncio.get_running_loop().create_future()
        self.application = fast_agi.Application(loop=asyncio.get_running_loop())
        self.application.add_route("start", self._call)

    async def _call(self, request: fast_agi.Request) -> None:
        self.talk.set_result(await hand_over(request, "reminder", slots=["new_time"], values={"name": "张伟"}))

    async def run(self, replies: Sequence[bytes]) -> tuple[Talk, list[bytes]]:
        """Answer each command with the next of ``replies``, then close the connection."""
        server = await asyncio.start_server(self.application.handler, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HEADER)
        commands = []
        for reply in replies:
            commands.append(await asyncio.wait_for(reader.readline(), 30))
            writer.write(reply)
        if not self.talk.done():
            await asyncio.wait({self.talk}, timeout=1.0)
            writer.close()
        talk = await asyncio.wait_for(self.talk, 30)
        writer.close()
        server.close()
        return talk, commands


@pytest.fixture
async def application() -> Application:
    return Application()


async def test_a_finished_talk(application: Application) -> None:
    values = (b"confirmed", b"affirm", b"nurses", b"2026-11-26T15:00")
    replies = [b"200 result=1\n", b"200 result=0\n", *(b"200 result=1 (" + value + b")\n" for value in values)]
    talk, commands = await application.run(replies)
    assert talk == Talk("confirmed", "affirm", "nurses", {"new_time": "2026-11-26T15:00"})
    assert talk.finished
    assert commands[1].decode() == 'EXEC AGI "agi://127.0.0.1:4573/handover,reminder,name=张伟"\n'
    assert commands[-1] == b"GET VARIABLE BOT_SLOT_NEW_TIME\n"


async def test_a_bot_that_is_not_there(application: Application) -> None:
    empty = b"200 result=1 ()\n"
    talk, _ = await application.run([b"200 result=1\n", b"200 result=0\n", empty, b"200 result=0\n", empty, empty])
    assert talk == Talk(slots={"new_time": ""})
    assert not talk.finished


@pytest.mark.parametrize(
    "replies",
    [
        [b"200 result=1\n", b"HANGUP\n"],
        [b"200 result=1\n", b"200 result=-1\nHANGUP\n"],
        [b"200 result=1\n", b"200 result=-1\n", b"HANGUP\n"],
        [b"200 result=1\n", b"200 result=-1\n", b"511 Command Not Permitted on a dead channel\n"],
        [b"200 result=1\n", b""],
    ],
)
async def test_a_caller_who_hangs_up(application: Application, replies: list[bytes]) -> None:
    talk, _ = await application.run(replies)
    assert talk.hung_up
    assert not talk.finished


@pytest.mark.parametrize(
    ("flow", "values"), [("a,b", {}), ("a\nb", {}), ("a", {"x": "1,2"}), ("a", {"x y": "1"}), ("a", {"x": "1\r\n"})]
)
async def test_what_asterisk_would_take_apart_is_refused(flow: str, values: dict[str, str]) -> None:
    class Never:
        async def send_command(self, command: str) -> None:
            raise AssertionError(command)

    with pytest.raises(ValueError, match=r"comma|line end|not a name"):
        await hand_over(Never(), flow, values=values)
