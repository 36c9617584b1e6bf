"""What the CRM could not be told."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi import Path as ApiPath

from agi_bot.web.doors import Admin, At, Operator, there
from agi_bot.web.times import with_times

router = APIRouter(prefix="/outbox", tags=["outbox"])


@router.get("")
async def letters(
    desk: At,
    caller: Operator,
    state: Literal["waiting", "delivered", "dead"] = "dead",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[dict[str, Any]]:
    """Letters in a state, newest first."""
    return [with_times(one) for one in await desk.office.outbox.listed(state, limit)]


@router.post("/resend")
async def resend_all(desk: At, caller: Admin) -> dict[str, int]:
    """Send every dead letter again."""
    return {"resent": await desk.office.outbox.resend(None, desk.office.clock())}


@router.post("/{outbox_id}/resend")
async def resend(outbox_id: Annotated[int, ApiPath(ge=1, le=2**63 - 1)], desk: At, caller: Operator) -> dict[str, int]:
    """Send one dead letter again."""
    return {"resent": there(await desk.office.outbox.resend(outbox_id, desk.office.clock()), "such dead letter")}
