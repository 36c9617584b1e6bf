"""Tasks: made, by one request or by an event; read, cancelled, paused, resumed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import NAMESPACE_URL, uuid5

from fastapi import APIRouter, Header, Query, Request, Response

from agi_bot.campaign.intake import Order, Problem
from agi_bot.campaign.model import TaskState
from agi_bot.web.doors import At, Desk, Operator, Viewer, problem, there
from agi_bot.web.forms import EventForm, TaskForm, TaskMade
from agi_bot.web.keys import Caller
from agi_bot.web.roles import for_eyes_of
from agi_bot.web.times import with_times

router = APIRouter(tags=["tasks"])

Key = Annotated[
    str, Header(alias="Idempotency-Key", max_length=200, description="Sent again with the same key, it is done once.")
]


@router.post("/call/task", status_code=201, response_model=TaskMade)
async def make_task(form: TaskForm, desk: At, caller: Operator, request: Request, key: Key = "") -> Response:
    """Have a person called. 201: taken; 200: it was known already."""
    order = Order(**form.model_dump())
    return await _once(desk, caller, key, request, lambda task_id: desk.office.order(order, task_id))


@router.post("/events", status_code=201, response_model=TaskMade, tags=["events"])
async def event(form: EventForm, desk: At, caller: Operator, request: Request, key: Key = "") -> Response:
    """Something happened: the rule of agi-bot.yml (campaigns.events) makes a task of it."""
    order = Order(form.customer_id, "", number=form.number, data=form.data, dedupe_key=form.dedupe_key)
    return await _once(desk, caller, key, request, lambda task_id: desk.office.happened(form.event, order, task_id))


async def _once(
    desk: Desk, caller: Caller, key: str, request: Request, make: Callable[[str], Awaitable[tuple[str, bool]]]
) -> Response:
    """Make a task.  Its id follows from the idempotency key, so that even a crash in between makes no second one."""
    if not key:
        return _made(*await make(""))
    digest = hashlib.sha256(request.url.path.encode() + b"\0" + await request.body()).hexdigest()
    known = await desk.office.access.remembered(caller.name, key, desk.office.clock())
    if known is not None:
        if known["digest"] != digest:
            raise problem(409, "the idempotency key was used with another body", [Problem("Idempotency-Key", key)])
        return Response(known["answer"], known["status"], {"Idempotent-Replay": "true"}, "application/json")
    answer = _made(*await make(str(uuid5(NAMESPACE_URL, f"{caller.name}\0{key}\0{digest}"))))
    text = bytes(answer.body).decode()
    await desk.office.access.remember(caller.name, key, digest, answer.status_code, text, desk.office.clock())
    return answer


def _made(task_id: str, new: bool) -> Response:
    body = json.dumps({"task_id": task_id, "created": new})
    return Response(body, 201 if new else 200, media_type="application/json")


@router.get("/tasks")
async def tasks(
    desk: At,
    caller: Viewer,
    campaign_id: str = "",
    state: TaskState | None = None,
    after: str = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[dict[str, Any]]:
    """Tasks by id; the next page begins behind ``after``."""
    found = await desk.office.desk.page(campaign_id, state.value if state else "", after, limit)
    return for_eyes_of(caller, [with_times(one) for one in found])


@router.get("/tasks/{task_id}")
async def task(task_id: str, desk: At, caller: Viewer) -> dict[str, Any]:
    """One task with its attempts. Viewers see numbers masked."""
    found: dict[str, Any] = there(await desk.office.desk.show(task_id), f"task {task_id}")
    return for_eyes_of(caller, with_times(found))


@router.post("/tasks/{task_id}/cancel")
async def cancel(task_id: str, desk: At, caller: Operator) -> dict[str, Any]:
    """Never dial it. 409 when it is being dialled or over."""
    return await _changed(desk, task_id, await desk.office.cancel(task_id, f"cancelled by {caller.name}"))


@router.post("/tasks/{task_id}/pause")
async def pause(task_id: str, desk: At, caller: Operator) -> dict[str, Any]:
    """Leave it alone until it is resumed. 409 when it does not wait."""
    return await _changed(desk, task_id, await desk.office.pause(task_id))


@router.post("/tasks/{task_id}/resume")
async def resume(task_id: str, desk: At, caller: Operator) -> dict[str, Any]:
    """Dial it when it is due. 409 when it is not paused."""
    return await _changed(desk, task_id, await desk.office.resume(task_id))


async def _changed(desk: Desk, task_id: str, done: bool) -> dict[str, Any]:
    found: dict[str, Any] = there(await desk.office.desk.show(task_id), f"task {task_id}")
    if not done:
        raise problem(409, f"the task is {found['state']}")
    return with_times(found)
