"""How soon `agi-bot serve` is ready, and what memory it takes, idle and per call."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from agi_bot.audio import silence
from agi_bot.pbx.simulated import SimulatedChannel
from tests.bench.results import Figure, save

CALLS = 20
ROOT = Path(__file__).parents[2]
CONFIG = """\
asterisk: {{agi_port: {agi}, audio_port: {audio}}}
flows: {{folder: {root}/flows}}
store: {{record: false}}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def resident_mb(pid: int) -> float:
    """Proportional set size of a process and its children, MB."""
    total = 0.0
    for process in [pid, *children(pid)]:
        text = Path(f"/proc/{process}/smaps_rollup").read_text()
        total += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) / 1024
    return total


def children(pid: int) -> list[int]:
    direct = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [*direct, *(below for child in direct for below in children(child))]


def wait_for(port: int, limit_s: float = 60.0) -> None:
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise SystemExit(f"nothing listens on port {port} after {limit_s:g} s")


def start(folder: Path) -> tuple[subprocess.Popen[bytes], int, float]:
    agi, audio = free_port(), free_port()
    (folder / "agi-bot.yml").write_text(CONFIG.format(agi=agi, audio=audio, root=ROOT))
    began = time.monotonic()
    process = subprocess.Popen([sys.executable, "-m", "agi_bot", "serve"], cwd=folder, stderr=subprocess.DEVNULL)
    wait_for(agi)
    return process, agi, time.monotonic() - began


async def hold_calls(port: int, seconds: float) -> None:
    """Callers who say nothing while the bot speaks to them."""
    channels = [
        SimulatedChannel(
            arguments=("appointment_reminder", "task_name=x", "task_appointment=2030-01-01T10:00", "task_item=y")
        )
        for _ in range(CALLS)
    ]
    running = [asyncio.create_task(channel.run("127.0.0.1", port)) for channel in channels]
    await asyncio.gather(*(asyncio.wait_for(channel.connected.wait(), 20) for channel in channels))
    for _ in range(int(seconds / 0.02)):
        for channel in channels:
            channel.speak(silence())
        await asyncio.sleep(0.02)
    measured.append(resident_mb(measured_pid[0]))
    for channel in channels:
        channel.hang_up()
    await asyncio.gather(*running)


measured: list[float] = []
measured_pid: list[int] = []


def main() -> None:
    ready = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for _ in range(4):
            process, agi, took = start(folder)
            ready.append(took)
            if len(ready) < 4:
                stop(process)
        time.sleep(1)
        idle = resident_mb(process.pid)
        measured_pid.append(process.pid)
        asyncio.run(hold_calls(agi, 4.0))
        stop(process)
    figures = [
        Figure("serve_ready_first_s", round(ready[0], 2), "s"),
        Figure("serve_ready_s", round(statistics.median(ready[1:]), 2), "s"),
        Figure("memory_idle_mb", round(idle, 1), "MB"),
        Figure("memory_per_call_mb", round((measured[0] - idle) / CALLS, 2), "MB"),
    ]
    notes = (
        "ready: from the start of the command to the first connection that FastAGI takes",
        "the first start trains the interpreters",
        "memory: proportional set size of watchdog, bot and voice helper",
        f"memory per call: with {CALLS} calls that hear a prompt",
    )
    save("serve.json", figures, ("vosk", "onnxruntime"), notes)


def stop(process: subprocess.Popen[bytes]) -> None:
    os.kill(process.pid, signal.SIGTERM)
    process.wait(30)


if __name__ == "__main__":
    main()
