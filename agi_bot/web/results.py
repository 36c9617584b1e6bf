"""The results of a campaign, to be taken away."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse, StreamingResponse
from starlette.background import BackgroundTask

from agi_bot.campaign.export import Export, Wish, as_it_is
from agi_bot.campaign.store.results import ResultStore
from agi_bot.web.doors import At, Viewer, problem, there
from agi_bot.web.keys import Role
from agi_bot.web.roles import masked

log = logging.getLogger(__name__)

router = APIRouter(prefix="/campaigns", tags=["campaigns"])

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
KINDS = {"csv": "text/csv; charset=utf-8", "json": "application/json", "xlsx": XLSX}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "application/json": {"schema": {"type": "array", "items": {"type": "object"}}},
            "text/csv": {"schema": {"type": "string"}},
            XLSX: {"schema": {"type": "string", "format": "binary"}},
        }
    }
}


@router.get("/{campaign_id}/results", response_class=Response, responses=_ANSWERS)
async def results(
    campaign_id: str,
    request: Request,
    desk: At,
    caller: Viewer,
    kind: Annotated[
        Literal["csv", "json", "xlsx"] | None, Query(alias="format", description="Without it, Accept decides.")
    ] = None,
    bom: Annotated[bool, Query(description="Begin a CSV with a byte order mark, for Excel.")] = False,
    original: Annotated[bool, Query(description="Slots before masking, where they were kept; admin only.")] = False,
) -> Response:
    """A row for each task with its last attempt and that call's result. Viewers see numbers masked."""
    there(await desk.office.tasks.campaign(campaign_id), f"campaign {campaign_id}")
    if original and caller.role < Role.ADMIN:
        raise problem(403, "original=true needs admin")
    if original:
        log.warning("campaign.unmasked_read", extra={"campaign_id": campaign_id, "key": caller.name})
    hide = as_it_is if caller.role > Role.VIEWER else masked
    export = Export(ResultStore(desk.office.database), Wish(campaign_id, original, bom, hide, desk.options.recordings))
    wanted = kind or _accepted(request.headers.get("accept", ""))
    headers = {"Content-Disposition": f'attachment; filename="{campaign_id}.{wanted}"'}
    if wanted == "xlsx":
        return await _workbook(export, headers)
    pieces = export.csv() if wanted == "csv" else export.json()
    return StreamingResponse(pieces, media_type=KINDS[wanted], headers=headers)


def _accepted(accept: str) -> str:
    named = (name for name, kind in KINDS.items() if kind.partition(";")[0] in accept)
    return next(named, "json")


async def _workbook(export: Export, headers: dict[str, str]) -> Response:
    folder = tempfile.TemporaryDirectory(prefix="agi-bot-export-")
    path = Path(folder.name) / "results.xlsx"
    await export.xlsx(path)
    return FileResponse(path, media_type=XLSX, headers=headers, background=BackgroundTask(folder.cleanup))
