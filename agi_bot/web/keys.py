"""API keys: made once, shown once, kept as a hash."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from enum import IntEnum

from agi_bot.campaign.store.access import AccessStore
from agi_bot.errors import AgiBotError

REMEMBER_S = 5.0
"""So long a key that was checked is taken without hashing again, s; a revoked one works no longer than that."""

_COST = {"n": 2**14, "r": 8, "p": 1}
"""scrypt (RFC 7914); 16 MB and some 30 ms a check."""


class Role(IntEnum):
    """What a key may do; a higher one may do everything of those below."""

    VIEWER = 1
    OPERATOR = 2
    ADMIN = 3

    @property
    def word(self) -> str:
        return self.name.lower()


def role_named(word: str) -> Role:
    """The role of that name.  Raises :class:`~agi_bot.errors.AgiBotError`."""
    try:
        return Role[word.upper()]
    except KeyError:
        known = ", ".join(role.word for role in reversed(Role))
        raise AgiBotError(f"there is no role '{word}'", cure=f"one of {known}") from None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a request comes from."""

    name: str
    role: Role


async def create_key(store: AccessStore, name: str, role: Role, now: float) -> str:
    """A new key; this is the only time that it can be read.

    Raises :class:`~agi_bot.errors.AgiBotError` when ``name`` is in use.
    """
    if any(key["name"] == name for key in await store.keys()):
        raise AgiBotError(f"there is a key named '{name}'", cure=f"agi-bot key revoke {name}, or choose another name")
    key_id, secret, salt = secrets.token_hex(6), secrets.token_urlsafe(32), secrets.token_hex(16)
    await store.add_key(key_id, name, role.word, salt, _hash(secret, salt), now)
    return f"ab_{key_id}_{secret}"


def _hash(secret: str, salt: str) -> str:
    return hashlib.scrypt(secret.encode(), salt=salt.encode(), **_COST, dklen=32).hex()


class Keyring:
    """Tells who a key belongs to."""

    def __init__(self, store: AccessStore) -> None:
        self._store = store
        self._checked: dict[str, tuple[Caller, float]] = {}

    async def find(self, key: str, now: float) -> Caller | None:
        """The caller with ``key``; ``None`` for a wrong or revoked one."""
        digest = hashlib.sha256(key.encode()).hexdigest()
        caller, until = self._checked.get(digest, (None, 0.0))
        if now < until:
            return caller
        self._checked = {one: kept for one, kept in self._checked.items() if kept[1] > now}
        found = await self._check(key)
        if found is not None:
            self._checked[digest] = (found, now + REMEMBER_S)
        return found

    async def _check(self, key: str) -> Caller | None:
        prefix, _, rest = key.partition("_")
        key_id, _, secret = rest.partition("_")
        row = await self._store.key(key_id) if prefix == "ab" and secret else None
        if row is None:
            return None
        digest = await asyncio.to_thread(_hash, secret, row["salt"])
        return Caller(row["name"], role_named(row["role"])) if hmac.compare_digest(digest, row["hash"]) else None
