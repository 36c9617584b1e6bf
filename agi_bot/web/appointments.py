"""What people are reminded of: put under your own id, moved by putting it again, cancelled."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from agi_bot.campaign.appointments import Appointments, Wanted
from agi_bot.campaign.store.appointments import Appointment
from agi_bot.web.doors import At, Desk, Operator, Viewer, there
from agi_bot.web.forms import AppointmentForm, AppointmentKept, AppointmentPut
from agi_bot.web.roles import for_eyes_of
from agi_bot.web.times import rfc3339

router = APIRouter(prefix="/appointments", tags=["appointments"])


@router.put("/{appointment_id}", response_model=AppointmentPut)
async def put(appointment_id: str, form: AppointmentForm, desk: At, caller: Operator) -> dict[str, Any]:
    """Remind somebody; put again with another time, the tasks of the old one are withdrawn."""
    made, done, plan = await _at(desk).put(Wanted(appointment_id, **form.model_dump()))
    kept = await _shown(desk, made)
    return {**kept, "new": done.new, "withdrawn": done.withdrawn, "left_out": plan.left_out}


@router.get("")
async def appointments(
    desk: At,
    caller: Viewer,
    campaign_id: str = "",
    after: str = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[dict[str, Any]]:
    """Appointments by id, without their tasks; the next page begins behind ``after``."""
    found = await _at(desk).store.page(campaign_id, after, limit)
    return [for_eyes_of(caller, _plain(one)) for one in found]


@router.get("/{appointment_id}", response_model=AppointmentKept)
async def appointment(appointment_id: str, desk: At, caller: Viewer) -> dict[str, Any]:
    """One appointment with the calls about it."""
    found = there(await _at(desk).store.get(appointment_id), f"appointment {appointment_id}")
    return for_eyes_of(caller, await _shown(desk, found))


@router.delete("/{appointment_id}", response_model=AppointmentKept)
async def cancel(appointment_id: str, desk: At, caller: Operator) -> dict[str, Any]:
    """The event is not: nobody is called about it any more."""
    withdrawn = await _at(desk).cancel(appointment_id, f"cancelled by {caller.name}")
    there(withdrawn is not None, f"appointment {appointment_id}")
    return await _shown(desk, there(await _at(desk).store.get(appointment_id), f"appointment {appointment_id}"))


def _at(desk: Desk) -> Appointments:
    return Appointments(desk.office)


async def _shown(desk: Desk, made: Appointment) -> dict[str, Any]:
    tasks = await _at(desk).store.tasks(made.appointment_id)
    return {**_plain(made), "tasks": [_task(task) for task in tasks]}


def _task(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "task_id": row["task_id"],
        "call_time": rfc3339(row["due_at"]),
        "event_time": rfc3339(row["not_after"]),
        "state": row["state"],
        "reason": row["reason"],
    }


def _plain(made: Appointment) -> dict[str, Any]:
    return {
        "appointment_id": made.appointment_id,
        "campaign_id": made.campaign_id,
        "customer_id": made.customer_id,
        "number": made.number,
        "data": dict(made.data),
        "time_field": made.time_field,
        "event_time": made.event_time.isoformat(),
        "zone": made.zone.key,
        "repeat": made.repeat,
        "state": made.state,
    }
