"""Where a message may go: an address of one's own network only when that is wanted."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from agi_bot.errors import AgiBotError


class BadAddress(AgiBotError):
    """A URL to which nothing is sent."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL and the IP address that was looked up and checked for it: it is the one to connect to."""

    url: str
    host: str
    ip: str


async def resolve(url: str, allow_private: bool) -> Target:
    """Look ``url`` up.

    Raises :class:`BadAddress` for anything but http(s), and for private, loopback,
    link-local and reserved addresses unless they are allowed; :class:`OSError` for a name
    that cannot be found now.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadAddress(f"{url}: not an http or https address", cure="correct the address in agi-bot.yml")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    found = await asyncio.get_running_loop().getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    addresses = [str(one[4][0]) for one in found]
    # One address of several is enough to refuse: a name server of somebody else decides which one is used.
    inside = [one for one in addresses if not ipaddress.ip_address(one.split("%")[0]).is_global]
    if inside and not allow_private:
        raise BadAddress(
            f"{_with_ip(parts.hostname, inside[0])} an address of a private network",
            cure="set allow_private beside its url if that is meant",
        )
    return Target(url, parts.hostname, addresses[0])


def _with_ip(host: str, ip: str) -> str:
    return f"{host} is" if host == ip else f"{host} is {ip},"
