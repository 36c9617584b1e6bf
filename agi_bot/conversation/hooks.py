"""Hooks: what a flow may ask of the outside world in mid-call.

A hook takes named values and answers named values.  The promise is one method, so that an
HTTP address, a knowledge base and a test double are the same to the conversation.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Protocol, TypeVar

import httpx

from agi_bot.address import BadAddress, Target, resolve
from agi_bot.contracts import Value
from agi_bot.errors import AgiBotError

log = logging.getLogger(__name__)

T = TypeVar("T")

MAX_ANSWER = 64 * 1024
"""Longest answer of a hook that is read, bytes."""


class HookError(AgiBotError):
    """A hook is unknown, failed, or answered nonsense."""


class UnknownHook(HookError):
    """There is no such hook: asking again cannot help."""


class Hooks(Protocol):
    """Runs hooks by name."""

    async def run(self, name: str, arguments: Mapping[str, Value]) -> Mapping[str, Value]:
        """The hook's answer.  Raises :class:`HookError`; the caller sets the time-out."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a hook goes: a URL that takes the arguments as a JSON object by POST.

    ``allow_private``: whether it may be an address of a private network.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = 5.0
    allow_private: bool = False


Resolve = Callable[[str, bool], Awaitable[Target]]


class HttpHooks:
    """Hooks that are HTTP addresses; connections are kept open between calls.

    ``resolve(url, allow_private)`` looks an address up and refuses it, see :mod:`agi_bot.address`.
    """

    def __init__(
        self, addresses: Mapping[str, Address], client: httpx.AsyncClient | None = None, resolve: Resolve = resolve
    ) -> None:
        self._addresses = addresses
        self._resolve = resolve
        self._client = client or httpx.AsyncClient(follow_redirects=False, trust_env=False)

    async def close(self) -> None:
        """Close the kept connections."""
        await self._client.aclose()

    async def run(self, name: str, arguments: Mapping[str, Value]) -> Mapping[str, Value]:
        address = self._addresses.get(name)
        if address is None:
            raise UnknownHook(f"hook {name} has no address", cure=f"add hooks: {name}: url: to agi-bot.yml")
        try:
            target = await self._resolve(address.url, address.allow_private)
            response = await self._post(address, target, {key: _plain(value) for key, value in arguments.items()})
            response.raise_for_status()
        except BadAddress as error:
            raise HookError(f"hook {name}: {error.message}", cure=error.cure) from error
        except (httpx.HTTPError, OSError) as error:
            raise HookError(f"hook {name}: {error or type(error).__name__}") from error
        return _values(name, response)

    async def _post(self, address: Address, target: Target, arguments: Mapping[str, Any]) -> httpx.Response:
        url = httpx.URL(target.url)
        # To the address that was checked: looked up again, the name could be another one.
        return await self._client.post(
            url.copy_with(host=target.ip),
            json=dict(arguments),
            headers={**address.headers, "Host": url.netloc.decode("ascii")},
            timeout=address.timeout_s,
            extensions={"sni_hostname": target.host},
        )


def _plain(value: Value) -> Any:
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _values(name: str, response: httpx.Response) -> Mapping[str, Value]:
    if not response.content:
        return {}
    if len(response.content) > MAX_ANSWER:
        raise HookError(f"hook {name}: the answer has {len(response.content)} bytes, at most {MAX_ANSWER} are read")
    try:
        data = response.json()
    except ValueError as error:
        raise HookError(f"hook {name}: the answer is not JSON") from error
    if not isinstance(data, dict):
        raise HookError(f"hook {name}: the answer is not a JSON object")
    return {_whole(key): _whole(value) for key, value in data.items() if isinstance(value, str | int | float | bool)}


def _whole(value: T) -> T:
    """``value`` with U+FFFD for half a character: some cut texts inside of an emoji, and no store keeps that."""
    if not isinstance(value, str):
        return value
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # type: ignore[return-value]


async def run_with_retries(
    hooks: Hooks,
    name: str,
    arguments: Mapping[str, Value],
    *,
    timeout_s: float,
    retries: int,
    told: Mapping[str, str] | None = None,
) -> Mapping[str, Value]:
    """Run a hook, again up to ``retries`` times when it fails.

    ``told`` is what log lines say of the call.  Raises :class:`HookError`.
    """
    for left in range(retries, -1, -1):
        try:
            async with asyncio.timeout(timeout_s):
                return await hooks.run(name, arguments)
        except TimeoutError as error:
            failure = HookError(f"hook {name}: no answer within {timeout_s:g} s")
            failure.__cause__ = error
        except HookError as error:
            failure = error
        if isinstance(failure, UnknownHook):
            left = 0
        log.warning(
            "hook.failed", extra={**(told or {}), "hook": name, "reason": failure.message, "retries_left": left}
        )
        if not left:
            break
    raise failure
