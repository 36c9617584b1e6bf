"""The supervisor, with real processes that freeze, hang, die and end."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from agi_bot.supervisor import HEART_VARIABLE, Heart, Supervisor, Watch

QUICK = Watch(beat=0.1, silence=1.5, startup=30, stop=5, pause=0.1, calm=60)

BOT = """
import asyncio, os, signal, sys, time
from agi_bot.supervisor import Heart

async def main(port_file, trick):
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    heart = asyncio.create_task(Heart(int(os.environ["AGI_BOT_HEART"]), 0.1).beat())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, heart.cancel)
    if trick == "deaf":
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: None)
    with open(port_file, "w") as file:
        file.write(f"{os.getpid()} {server.sockets[0].getsockname()[1]}\\n")
    if trick == "hang":
        await asyncio.sleep(0.3)
        time.sleep(60)
    if trick == "child":
        import subprocess
        child = subprocess.Popen(["sleep", "60"])
        with open(port_file + ".child", "w") as file:
            file.write(str(child.pid))
    await asyncio.wait({heart})

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture
def report(tmp_path: Path) -> Path:
    return tmp_path / "bot"


@asynccontextmanager
async def supervised(report: Path, trick: str = "", watch: Watch = QUICK) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor([sys.executable, "-c", BOT, str(report), trick], watch)
    running = asyncio.create_task(supervisor.run())
    try:
        yield supervisor
    finally:
        supervisor.stop()
        await asyncio.wait_for(running, 30)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def started(report: Path, not_pid: int = 0) -> tuple[int, int]:
    """Process id and port of the bot that runs now."""
    await until(
        lambda: report.exists() and report.read_text().endswith("\n") and int(report.read_text().split()[0]) != not_pid
    )
    pid, port = map(int, report.read_text().split())
    return pid, port


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_a_frozen_bot_is_killed_its_sockets_close_and_another_one_starts(report: Path) -> None:
    async with supervised(report) as supervisor:
        pid, port = await started(report)
        await until(lambda: supervisor._ready)
        with socket.create_connection(("127.0.0.1", port)) as caller:
            caller.setblocking(False)
            os.kill(pid, signal.SIGSTOP)
            with suppress(ConnectionResetError):
                assert await asyncio.wait_for(asyncio.get_running_loop().sock_recv(caller, 1), 30) == b""
        new, _ = await started(report, not_pid=pid)
        assert (supervisor.pid, supervisor.restarts) == (new, 1)
        assert not alive(pid)


async def test_a_bot_whose_event_loop_hangs_is_killed_too(report: Path) -> None:
    async with supervised(report, "hang"):
        pid, _ = await started(report)
        await started(report, not_pid=pid)
        assert not alive(pid)


async def test_a_killed_bot_is_started_again(report: Path) -> None:
    async with supervised(report) as supervisor:
        pid, _ = await started(report)
        await until(lambda: supervisor._ready)
        os.kill(pid, signal.SIGKILL)
        assert (await started(report, not_pid=pid))[0] == supervisor.pid


async def test_what_the_bot_had_started_dies_with_it(report: Path) -> None:
    async with supervised(report, "child"):
        pid, _ = await started(report)
        child_file = Path(f"{report}.child")
        await until(lambda: child_file.exists() and child_file.read_text().isdigit())
        child = int(child_file.read_text())
        os.kill(pid, signal.SIGSTOP)
        await started(report, not_pid=pid)
        await until(lambda: not alive(child))


async def test_a_healthy_bot_is_left_alone(report: Path) -> None:
    async with supervised(report) as supervisor:
        pid, _ = await started(report)
        await asyncio.sleep(2 * QUICK.silence)
        assert (supervisor.pid, supervisor.restarts) == (pid, 0)


async def test_stop_ends_the_bot_and_answers_its_status(report: Path) -> None:
    supervisor = Supervisor([sys.executable, "-c", BOT, str(report), ""], QUICK)
    running = asyncio.create_task(supervisor.run())
    pid, _ = await started(report)
    supervisor.stop()
    assert await asyncio.wait_for(running, 30) == 0
    assert not alive(pid)


async def test_a_bot_that_will_not_stop_is_killed(report: Path) -> None:
    supervisor = Supervisor([sys.executable, "-c", BOT, str(report), "deaf"], Watch(beat=0.1, silence=30, stop=0.3))
    running = asyncio.create_task(supervisor.run())
    pid, _ = await started(report)
    supervisor.stop()
    assert await asyncio.wait_for(running, 30) == -signal.SIGKILL
    assert not alive(pid)


async def test_a_frozen_bot_can_be_stopped(report: Path) -> None:
    supervisor = Supervisor([sys.executable, "-c", BOT, str(report), ""], Watch(beat=0.1, silence=30))
    running = asyncio.create_task(supervisor.run())
    pid, _ = await started(report)
    os.kill(pid, signal.SIGSTOP)
    supervisor.stop()
    assert await asyncio.wait_for(running, 30) == 0


@pytest.mark.parametrize("status", [0, 2, 78])
async def test_a_bot_that_cannot_even_start_is_not_tried_for_ever(status: int) -> None:
    supervisor = Supervisor([sys.executable, "-c", f"raise SystemExit({status})"], QUICK)
    assert await asyncio.wait_for(supervisor.run(), 30) == status
    assert supervisor.restarts == 0


async def test_the_pauses_between_failures_grow() -> None:
    script = (
        f"import os, time; os.write(int(os.environ['{HEART_VARIABLE}']), b'.'); time.sleep(0.2); raise SystemExit(1)"
    )
    supervisor = Supervisor([sys.executable, "-c", script], Watch(pause=0.05, longest_pause=0.1))
    running = asyncio.create_task(supervisor.run())
    await until(lambda: supervisor.restarts >= 3)
    supervisor.stop()
    assert await asyncio.wait_for(running, 30) in (1, -signal.SIGTERM)


async def test_the_heart_stops_when_the_supervisor_is_gone() -> None:
    ours, theirs = os.pipe()
    heart = Heart(theirs, 0.01)
    os.close(ours)
    await asyncio.wait_for(heart.beat(), 30)
    os.close(theirs)


def test_without_a_supervisor_there_is_no_heart() -> None:
    assert Heart.from_environment({}) is None
