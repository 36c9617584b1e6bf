"""``agi-bot serve`` as a process of its own: a task by REST is kept, also through kill -9, and dialled into nothing."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from agi_bot.demo.ports import free_port
from agi_bot.shipped import shipped

START_S = 90.0


class Service:
    """One ``agi-bot serve`` in ``folder``, without an exchange."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port(socket.SOCK_STREAM)
        (folder / "agi-bot.yml").write_text(
            f"flows: {{folder: {shipped('flows')}}}\n"
            "asterisk: {agi_port: 0, audio_port: 0}\n"
            "campaigns: {enabled: true, hours: ['00:00-23:59:59.999999']}\n"
            f"web: {{enabled: true, port: {self.port}}}\n"
            "supervisor: {enabled: false}\n",
            encoding="utf-8",
        )
        self.process: subprocess.Popen[bytes] | None = None

    def run(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "agi_bot", *arguments]
        return subprocess.run(command, cwd=self.folder, check=True, capture_output=True, text=True).stdout.strip()

    def start(self) -> None:
        log = (self.folder / "log").open("ab")
        command = [sys.executable, "-m", "agi_bot", "serve"]
        self.process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log)
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            assert self.process.poll() is None, (self.folder / "log").read_text()
            try:
                if httpx.get(f"http://127.0.0.1:{self.port}/readyz", trust_env=False).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.2)
        raise TimeoutError((self.folder / "log").read_text())

    def end(self, how: signal.Signals) -> int:
        assert self.process is not None
        os.kill(self.process.pid, how)
        return self.process.wait(40)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    found = Service(tmp_path)
    yield found
    if found.process is not None and found.process.poll() is None:
        found.end(signal.SIGKILL)


def test_a_task_survives_and_waits_for_the_exchange(service: Service) -> None:
    key = service.run("key", "create", "crm")
    service.start()
    client = httpx.Client(
        base_url=f"http://127.0.0.1:{service.port}", headers={"Authorization": f"Bearer {key}"}, trust_env=False
    )
    data = {"name": "张伟", "appointment": "2030-01-01T10:00", "item": "血糖复查"}
    task = {"customer_id": "1", "script_id": "appointment_reminder", "number": "13800000001", "data": data}
    later = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() + 86_400))
    waiting = client.post("/api/v1/call/task", json={**task, "call_time": later})
    assert waiting.status_code == 201, waiting.text
    service.end(signal.SIGKILL)
    service.start()
    assert client.get(f"/api/v1/tasks/{waiting.json()['task_id']}").json()["state"] == "waiting"
    tried = client.post("/api/v1/call/task", json=task).json()["task_id"]
    time.sleep(3)
    found = client.get(f"/api/v1/tasks/{tried}").json()
    assert (found["attempts"], found["state"]) == ([], "waiting"), "without an exchange nothing is tried, nothing lost"
    assert "agibot_attempts_total{" not in client.get("/metrics").text
    assert service.end(signal.SIGTERM) == 0
    with sqlite3.connect(service.folder / "agi-bot-data" / "agi-bot.db") as db:
        assert db.execute("SELECT count(*) FROM queue_claimed").fetchone() == (0,)
    db.close()
