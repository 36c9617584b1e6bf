"""Waits for a server that was started."""

from __future__ import annotations

import socket
import subprocess
import time

READY_S = 120.0


def listens(port: int, process: subprocess.Popen[bytes]) -> bool:
    """Whether ``process`` takes connections on ``port`` of this machine within :data:`READY_S`; it waits for it."""
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return True
    return False
