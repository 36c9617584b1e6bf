"""Lists that are sent as a request's body."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import Request

from agi_bot.campaign.intake import Problem, Refused
from agi_bot.campaign.lists import BadList
from agi_bot.web.doors import Desk, problem

KINDS = {
    "text/csv": ".csv",
    "application/x-ndjson": ".jsonl",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
}


@asynccontextmanager
async def uploaded(request: Request, desk: Desk) -> AsyncIterator[Path]:
    """The body as a file, until the end of the block.  Raises :class:`HTTPException` 415 and 413."""
    kind = KINDS.get(request.headers.get("content-type", "").partition(";")[0].strip())
    if kind is None:
        raise problem(415, f"send it as one of {', '.join(KINDS)}")
    with tempfile.TemporaryDirectory(prefix="agi-bot-import-") as folder:
        path = Path(folder) / f"list{kind}"
        await _save(request, path, desk.options.max_import)
        try:
            yield path
        except BadList as error:
            # The sender knows nothing of our folder.
            raise Refused(Problem("body", str(error).replace(f"{folder}/", ""))) from error


async def _save(request: Request, path: Path, most: int) -> None:
    size = 0
    with path.open("wb") as file:
        async for part in request.stream():
            size += len(part)
            if size > most:
                raise problem(413, f"the list is longer than {most} bytes")
            file.write(part)
