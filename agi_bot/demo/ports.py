"""Free ports of 127.0.0.1, away from those that the system hands out by itself."""

from __future__ import annotations

import random
import socket

_LOW, _HIGH = 10_000, 32_000


def free_port(kind: socket.SocketKind) -> int:
    """A port that nobody uses now, for TCP (``SOCK_STREAM``) or UDP (``SOCK_DGRAM``).

    Raises :class:`OSError` when 200 tries found none.
    """
    for _ in range(200):
        port = random.randrange(_LOW, _HIGH)
        if is_free(port, kind):
            return port
    raise OSError(f"no free port between {_LOW} and {_HIGH} on 127.0.0.1")


def is_free(port: int, kind: socket.SocketKind) -> bool:
    """Whether ``port`` can be bound now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_range() -> int:
    """The even first port of a range for RTP; the PBX itself skips those in use."""
    return random.randrange(33_000, 60_000, 2)
