"""Who may come in, how often, and what a refusal looks like."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from agi_bot.campaign.intake import Problem
from agi_bot.campaign.office import Office
from agi_bot.campaign.pacing import Pace
from agi_bot.record import RECORDINGS
from agi_bot.web.keys import Caller, Keyring, Role
from agi_bot.web.live import Live

BURST_SHARE = 10
"""A tenth of a minute's requests may come at once."""

_bearer = HTTPBearer(auto_error=False, description="Authorization: Bearer KEY (agi-bot key create NAME)")


@dataclass(frozen=True, slots=True)
class Options:
    """Limits, bytes and requests a minute, where recordings lie, and a clock that nobody sets, s."""

    requests_per_minute: int = 6000
    max_body: int = 256 * 1024
    max_import: int = 256 * 1024 * 1024
    recordings: Path = RECORDINGS
    steady: Callable[[], float] = time.monotonic


class Desk:
    """What the handlers work with; one for each application."""

    def __init__(self, office: Office, live: Live, options: Options) -> None:
        self.office = office
        self.live = live
        self.options = options
        self._keys = Keyring(office.access)
        rate = options.requests_per_minute
        self._pace = Pace(rate / 60, burst=max(1, rate // BURST_SHARE))
        self._arrivals: dict[str, float] = {}

    async def caller(self, key: str | None, address: str) -> Caller:
        """Who it is.  Raises :class:`HTTPException` 401 and 429."""
        # By the wall clock, one that is set back would keep revoked keys alive and honest ones out.
        now = self.options.steady()
        found = await self._keys.find(key, now) if key and self._may(f"address {address}", now) else None
        if found is None:
            self._count(f"address {address}", now)
            raise problem(401, "a valid API key is needed", headers={"WWW-Authenticate": "Bearer"})
        self._count(f"key {found.name}", now)
        return found

    def _may(self, who: str, now: float) -> bool:
        return self._pace.wait(self._arrivals.get(who, now), now) <= 0

    def _count(self, who: str, now: float) -> None:
        if len(self._arrivals) > 10_000:
            self._arrivals = {one: arrival for one, arrival in self._arrivals.items() if arrival > now}
        before = self._arrivals.get(who, now)
        taken, self._arrivals[who] = self._pace.take(before, now, 1)
        if not taken:
            wait = self._pace.wait(before, now)
            raise problem(429, "too many requests", headers={"Retry-After": str(max(1, round(wait)))})


async def desk_of(request: Request) -> Desk:  # async: a plain function would cost a thread
    """The application's desk."""
    desk: Desk = request.app.state.desk
    return desk


async def known_query(request: Request) -> None:
    """A parameter that is misspelt must not be taken for none: the answer would be another one."""
    known = {one.alias for one in request.scope["route"].dependant.query_params}
    for name in request.query_params:
        if name not in known:
            raise problem(422, "unknown query parameter", [Problem(name[:64], f"known: {', '.join(known) or 'none'}")])


At = Annotated[Desk, Depends(desk_of)]


def _allow(least: Role) -> Callable[..., Awaitable[Caller]]:
    async def allowed(
        request: Request, desk: At, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
    ) -> Caller:
        address = request.client.host if request.client else ""
        caller = await desk.caller(given.credentials if given else None, address)
        if caller.role < least:
            raise problem(403, f"the key '{caller.name}' has the role {caller.role.word}; this needs {least.word}")
        return caller

    return allowed


Viewer = Annotated[Caller, Depends(_allow(Role.VIEWER))]
Operator = Annotated[Caller, Depends(_allow(Role.OPERATOR))]
Admin = Annotated[Caller, Depends(_allow(Role.ADMIN))]


def problem(
    status: int, message: str, fields: Sequence[Problem] = (), headers: dict[str, str] | None = None
) -> HTTPException:
    """An answer that is not a good one."""
    return HTTPException(status, error_body(message, fields)["error"], headers)


def error_body(message: str, fields: Sequence[Problem] = ()) -> dict[str, Any]:
    """The body of every answer from 400 on."""
    return {"error": {"message": message, "fields": [{"field": one.field, "reason": one.reason} for one in fields]}}


def there(found: Any, what: str) -> Any:
    """``found``, or 404."""
    if not found:
        raise problem(404, f"there is no {what}")
    return found
