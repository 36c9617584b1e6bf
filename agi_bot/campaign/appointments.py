"""Reminds people of what they are expected at: from an event and its repetitions to tasks, as far as the horizon.

An appointment is put (created or moved) under your own id and cancelled by it.  Each of the
campaign's reminders (``remind``) of each event becomes one task whose dedupe key names both,
so that planning twice calls nobody twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from agi_bot.campaign.intake import Order, Problem, Refused, check_name, check_zone, read_local, read_task
from agi_bot.campaign.model import Campaign, Task
from agi_bot.campaign.office import Office, no_script
from agi_bot.campaign.reminders import call_at, occurrences, read_repeat
from agi_bot.campaign.store.appointments import OVER, Appointment, AppointmentStore, Planned
from agi_bot.errors import AgiBotError
from agi_bot.flow import Flow

log = logging.getLogger(__name__)

HORIZON = timedelta(days=60)
"""Repeated events are planned so far ahead."""

AGAIN_S = 600.0
"""How often it is looked whether there is more to plan."""

AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """An appointment as it was asked for; ``event_time`` is ISO 8601, without zone in ``zone`` or the campaign's."""

    appointment_id: str
    campaign_id: str
    customer_id: str
    event_time: str
    number: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    time_field: str = ""
    repeat: str = ""
    zone: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """The tasks of some events; ``left_out`` has the reminders (``3d``) whose time has passed already."""

    events: list[datetime]
    tasks: list[Task]
    left_out: list[str]


class Appointments:
    """Puts, cancels and plans appointments."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self.store = AppointmentStore(office.database)

    async def put(self, wanted: Wanted) -> tuple[Appointment, Planned, Plan]:
        """Create or move an appointment.  Raises :class:`Refused`; nothing of it is kept then."""
        check_name(wanted.appointment_id, "appointment_id")
        campaign = await self._office.tasks.campaign(wanted.campaign_id)
        if campaign is None:
            raise Refused(Problem("campaign_id", f"there is no campaign '{wanted.campaign_id[:64]}'"))
        if not campaign.remind:
            raise Refused(Problem("campaign_id", f"the campaign {campaign.campaign_id} says nothing of `remind`"))
        flow = self._flow(campaign)
        order = Order(wanted.customer_id, campaign.flow, number=wanted.number, data=wanted.data)
        filled = await self._office.fill(order, flow)
        made = self._read(replace(wanted, number=filled.number, data=filled.data), campaign, flow)
        plan = await self._planned(made, campaign, flow, self._now())
        done = await self.store.plan(
            made, [event.timestamp() for event in plan.events], plan.tasks, self._office.clock()
        )
        return made, done, plan

    def _flow(self, campaign: Campaign) -> Flow:
        flow = self._office.scripts.get(campaign.flow)
        if flow is None:
            raise no_script(self._office.scripts, campaign.flow)
        return flow

    def _read(self, wanted: Wanted, campaign: Campaign, flow: Flow) -> Appointment:
        if wanted.time_field and wanted.time_field not in flow.script.task:
            known = ", ".join(flow.script.task) or "none"
            raise Refused(Problem("time_field", f"not a task field of {flow.name}; known: {known}"))
        zone = check_zone(wanted.zone or campaign.zone)
        try:
            repeat = read_repeat(wanted.repeat)
        except ValueError as error:
            raise Refused(Problem("repeat", str(error))) from None
        made = Appointment(
            appointment_id=wanted.appointment_id,
            campaign_id=campaign.campaign_id,
            customer_id=wanted.customer_id,
            number=wanted.number,
            event_time=read_local(wanted.event_time, zone, self._office.clock(), past=bool(repeat)),
            data=wanted.data,
            time_field=wanted.time_field,
            repeat=repeat,
            planned_until=(self._now() + HORIZON).timestamp(),
        )
        self._check(made, flow)
        return made

    def _check(self, made: Appointment, flow: Flow) -> None:
        """The data with the event's time in it must fit the script, also when no task is made now."""
        order = Order(made.customer_id, flow.name, number=made.number, data=_data(made, made.event_time))
        read_task(order, flow, made.campaign_id, made.zone, self._office.clock(), "check")

    async def _planned(self, made: Appointment, campaign: Campaign, flow: Flow, after: datetime) -> Plan:
        until = datetime.fromtimestamp(made.planned_until, UTC) if made.repeat else made.event_time
        # A rule with few days is counted through for a while.
        events = await asyncio.to_thread(occurrences, made.event_time, made.repeat, after, until)
        zone = await self._zone_of(made, campaign)
        tasks, left_out = [], []
        for event in events:
            for reminder in campaign.remind:
                at = call_at(reminder, event, campaign.rules, zone)
                if at is None or at < self._now():
                    left_out.append(reminder.word)
                else:
                    tasks.append(_task(made, campaign, event, at, reminder.word))
        return Plan(events, tasks, left_out)

    async def _zone_of(self, made: Appointment, campaign: Campaign) -> ZoneInfo:
        customer = await self._office.people.get(made.customer_id)
        return check_zone((customer or {}).get("zone") or campaign.zone)

    async def cancel(self, appointment_id: str, reason: str) -> int | None:
        """Remind nobody of it any more; how many tasks were withdrawn, ``None`` for an unknown one."""
        found = await self.store.get(appointment_id)
        return None if found is None else await self.store.cancel(found, reason, self._office.clock())

    async def extend(self) -> int:
        """Plan repeated events up to the horizon; how many tasks are new."""
        now, new = self._now(), 0
        for made in await self.store.to_plan((now + HORIZON - timedelta(days=1)).timestamp(), AT_ONCE):
            campaign = await self._office.tasks.campaign(made.campaign_id)
            flow = self._office.scripts.get(campaign.flow) if campaign else None
            further = replace(made, planned_until=(now + HORIZON).timestamp())
            if campaign is None or flow is None or not made.repeat:
                await self.store.extend(made, replace(further, state=_state(made, now)), [], now.timestamp())
                continue
            after = max(now, datetime.fromtimestamp(made.planned_until, UTC))
            plan = await self._planned(further, campaign, flow, after)
            new += await self.store.extend(made, further, plan.tasks, now.timestamp())
        return new

    async def run(self) -> None:
        """Plan until cancelled."""
        while True:
            try:
                await self.extend()
            except AgiBotError as error:
                log.error("appointments.not_planned", extra={"reason": str(error)})
            await asyncio.sleep(AGAIN_S)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._office.clock(), UTC)


def _state(made: Appointment, now: datetime) -> str:
    return OVER if not made.repeat and made.event_time < now else made.state


def _data(made: Appointment, event: datetime) -> dict[str, Any]:
    time = {made.time_field: event.replace(tzinfo=None).isoformat()} if made.time_field else {}
    return {**made.data, **time}


def _task(made: Appointment, campaign: Campaign, event: datetime, at: datetime, word: str) -> Task:
    return Task(
        task_id=str(uuid4()),
        campaign_id=made.campaign_id,
        number=made.number,
        flow=campaign.flow,
        due_at=at.timestamp(),
        customer_id=made.customer_id,
        data=_data(made, event),
        dedupe_key=f"{made.appointment_id}@{event.astimezone(UTC):%Y%m%dT%H%M}#{word}",
        not_after=event.timestamp(),
        appointment_id=made.appointment_id,
    )
