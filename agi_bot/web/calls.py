"""Calls that were had: transcript, slots, outcome, recording."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse

from agi_bot.record import place_of
from agi_bot.web.doors import Admin, At, Desk, Operator, Viewer, problem, there
from agi_bot.web.roles import for_eyes_of

log = logging.getLogger(__name__)

router = APIRouter(prefix="/calls", tags=["calls"])


@router.get("")
async def calls(desk: At, caller: Viewer, limit: Annotated[int, Query(ge=1, le=1000)] = 20) -> list[dict[str, Any]]:
    """The newest calls first, without their turns."""
    return for_eyes_of(caller, [_shown(one, desk) for one in await desk.office.calls.latest(limit)])


@router.get("/{call_id}")
async def call(call_id: str, desk: At, caller: Viewer) -> dict[str, Any]:
    """One call with its turns and slots. Viewers see numbers masked."""
    found: dict[str, Any] = there(await desk.office.calls.get(call_id), f"call {call_id}")
    return for_eyes_of(caller, _shown(found, desk))


@router.get("/{call_id}/original")
async def original(call_id: str, desk: At, caller: Admin) -> dict[str, Any]:
    """What was said before it was masked; who asked is logged."""
    found = there(await desk.office.calls.original(call_id), f"unmasked record of call {call_id}")
    log.warning("call.unmasked_read", extra={"call_id": call_id, "key": caller.name})
    return found  # type: ignore[no-any-return]


@router.get("/{call_id}/recording", response_class=FileResponse)
async def recording(call_id: str, desk: At, caller: Operator) -> FileResponse:
    """The recording: caller left, bot right."""
    found = there(await desk.office.calls.get(call_id), f"call {call_id}")
    path = Path(found["recording"]) if found["recording"] else None
    if path is None or not path.is_file():
        raise problem(404, "the call has no recording")
    if not path.resolve().is_relative_to(desk.options.recordings.resolve()):
        raise problem(404, "the recording lies outside of store.recordings")
    return FileResponse(path, filename=path.name)


def _shown(found: dict[str, Any], desk: Desk) -> dict[str, Any]:
    return {**found, "recording": place_of(found["recording"], desk.options.recordings)}
