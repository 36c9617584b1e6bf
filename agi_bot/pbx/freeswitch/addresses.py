"""What is wrong with the addresses of ours that FreeSWITCH is to connect and send to."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator

from agi_bot.findings import Finding, error, warning
from agi_bot.pbx.freeswitch.options import FreeSwitchOptions


async def our_addresses(options: FreeSwitchOptions) -> AsyncIterator[Finding]:
    """They must be this machine's, and, as FreeSWITCH's sound has no password, not public."""
    for name, host in (("media_host", options.media_host), ("listen_host", options.host)):
        if fault := await asyncio.to_thread(not_ours, host):
            cure = "an address of this machine: 127.0.0.1, or one that `ip address` shows"
            yield error(f"freeswitch.{name} is {host}: {fault}", cure)
        elif not _private(host):
            cure = f"set freeswitch.{name} to 127.0.0.1, or to an address of a private network"
            yield warning(f"freeswitch.{name} is {host}: anybody can send to it", cure)


def not_ours(host: str) -> str:
    """Why nothing of ours can listen at ``host``; empty when it can."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, 0, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind) as trial:
            trial.bind(address)
    except OSError as fault:
        return fault.strerror or str(fault)
    return ""


def _private(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return address.is_private and not address.is_unspecified
