"""What outsiders may do with campaigns and tasks: one place for the API, the commands and the import."""

from __future__ import annotations

import difflib
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from agi_bot.campaign.dialer import due
from agi_bot.campaign.intake import Order, Problem, Refused, check_name, check_number, check_text, check_zone, read_task
from agi_bot.campaign.model import Campaign, TaskState
from agi_bot.campaign.permission import Rules, Window
from agi_bot.campaign.queue import Queue, SqliteQueue
from agi_bot.campaign.sms import wrong
from agi_bot.campaign.store.access import AccessStore
from agi_bot.campaign.store.calls import CallStore
from agi_bot.campaign.store.database import Database
from agi_bot.campaign.store.desk import TaskDesk
from agi_bot.campaign.store.outbox import OutboxStore
from agi_bot.campaign.store.people import PeopleStore
from agi_bot.campaign.store.tasks import TaskStore
from agi_bot.config.hours import read_days, read_hours
from agi_bot.flow import Flow
from agi_bot.flow.aside import fault_in_aside
from agi_bot.record import RECORDINGS
from agi_bot.speech.answering import ON_MACHINE, AnswerRules


class Scripts(Protocol):
    """The flows by name."""

    def get(self, name: str) -> Flow | None:
        """The flow ``name``; ``None`` when there is none."""

    def names(self) -> list[str]:
        """The names of all flows."""


def no_script(scripts: Scripts, name: str) -> Refused:
    """Nobody has the script ``name``; which one is like it, or which there are."""
    known = scripts.names()
    near = difflib.get_close_matches(name[:64], known, n=1)
    cure = f"did you mean '{near[0]}'?" if near else f"there are: {', '.join(known[:20]) or 'none'}"
    return Refused(Problem("script_id", f"there is no script '{name[:64]}'; {cure}"))


@dataclass(frozen=True, slots=True)
class Event:
    """What an event of another system starts."""

    flow: str
    campaign: str = ""
    delay_s: float = 0.0
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a campaign is that is made by its first task; its id and flow are replaced.

    ``recordings`` is the folder in which results name a recording's place.
    """

    campaign: Campaign = field(default_factory=lambda: Campaign("", ""))
    events: dict[str, Event] = field(default_factory=dict)
    recordings: Path = RECORDINGS


class Office:
    """The stores of one database, and the steps that touch several of them."""

    def __init__(
        self,
        database: Database,
        scripts: Scripts,
        defaults: Defaults | None = None,
        clock: Callable[[], float] = time.time,
        queue: Queue | None = None,
    ) -> None:
        self.database = database
        self.scripts = scripts
        self.defaults = defaults or Defaults()
        self.clock = clock
        self.queue = queue or SqliteQueue(database)
        self.tasks = TaskStore(database)
        self.desk = TaskDesk(database)
        self.people = PeopleStore(database)
        self.calls = CallStore(database)
        self.outbox = OutboxStore(database)
        self.access = AccessStore(database)

    async def _campaign_for(self, campaign_id: str, flow: str) -> tuple[Campaign, bool]:
        """The campaign of a task, and whether it is new: that of the script itself follows from the defaults."""
        wanted = campaign_id or flow
        found = await self.tasks.campaign(wanted)
        if found is not None:
            return found, False
        if campaign_id and campaign_id != flow:
            raise Refused(Problem("campaign_id", f"there is no campaign '{campaign_id[:64]}'"))
        if self.scripts.get(flow) is None:
            raise no_script(self.scripts, flow)
        return replace(self.defaults.campaign, campaign_id=wanted, flow=flow, title=flow), True

    async def create(self, campaign: Campaign) -> None:
        """Keep a new campaign.  Raises :class:`~agi_bot.campaign.intake.Refused`."""
        check_name(campaign.campaign_id, "campaign_id")
        check_text(campaign.title, "title")
        check_zone(campaign.zone)
        if campaign.caller_id:
            check_number(campaign.caller_id, "caller_id")
        script = self.scripts.get(campaign.flow)
        if script is None:
            raise no_script(self.scripts, campaign.flow)
        check_answering(script, campaign.answering)
        for rule in campaign.sms:
            if reason := wrong(rule, [*script.script.task, *script.slots]):
                raise Refused(Problem("sms", reason))
        if await self.tasks.campaign(campaign.campaign_id) is not None:
            raise Refused(Problem("campaign_id", f"'{campaign.campaign_id}' is taken"))
        await self.tasks.save_campaign(campaign)

    async def order(self, order: Order, task_id: str = "") -> tuple[str, bool]:
        """Make a task: its id, and whether it is new (``False``: its id or its dedupe key was known).

        Raises :class:`~agi_bot.campaign.intake.Refused`; nothing of it is kept then.
        """
        script = self.scripts.get(order.script_id)
        filled = await self.fill(order, script)
        campaign, new = await self._campaign_for(order.campaign_id, order.script_id)
        zone = check_zone(campaign.zone)
        task = read_task(filled, script, campaign.campaign_id, zone, self.clock(), task_id or str(uuid4()))
        if new:
            await self.tasks.save_campaign(campaign)
        if await self.desk.add_many([task], [""], campaign.trunk, self.clock()):
            return task.task_id, True
        known = await self.desk.by_dedupe_key(campaign.campaign_id, task.dedupe_key or "")
        return known or task.task_id, False

    async def fill(self, order: Order, script: Flow | None) -> Order:
        """``order`` with what it leaves out and the customer's own row knows: number, name, the script's fields.

        Raises :class:`~agi_bot.campaign.intake.Refused` when there is no number.
        """
        customer = await self.people.get(order.customer_id)
        if customer is None and not order.number:
            reason = f"customer '{order.customer_id[:64]}' is not known: give a number, or create the customer first"
            raise Refused(Problem("customer_id", reason))
        if customer is None:
            return order
        known = {"name": customer["name"] or None, **customer["data"]}
        fields = script.script.task if script else {}
        data = {name: known[name] for name in fields if known.get(name) is not None}
        return replace(order, number=order.number or customer["number"], data={**data, **order.data})

    async def happened(self, name: str, order: Order, task_id: str = "") -> tuple[str, bool]:
        """An event of another system: the task that its rule makes.  ``order`` names no script.

        Raises :class:`Refused` for an event without a rule, and as :meth:`order`.
        """
        rule = self.defaults.events.get(name)
        if rule is None:
            known = ", ".join(sorted(self.defaults.events)) or "none; see campaigns.events in agi-bot.yml"
            raise Refused(Problem("event", f"there is no rule for '{name[:64]}'; known: {known}"))
        at = "" if not rule.delay_s else _iso(self.clock() + rule.delay_s)
        wanted = replace(order, script_id=rule.flow, campaign_id=rule.campaign, priority=rule.priority, call_time=at)
        return await self.order(wanted, task_id)

    async def cancel(self, task_id: str, reason: str) -> bool:
        """Never dial a task; ``False`` when it is neither waiting nor paused."""
        now = self.clock()
        done = await self.tasks.cancel(task_id, reason, now)
        done = done or await self.desk.move(task_id, TaskState.PAUSED, TaskState.CANCELLED, reason, now)
        await self.queue.withdraw([task_id])
        return done

    async def pause(self, task_id: str) -> bool:
        """Leave a task that waits alone until it is resumed; ``False`` when it does not wait."""
        done = await self.desk.move(task_id, TaskState.WAITING, TaskState.PAUSED, "paused by hand", self.clock())
        if done:
            await self.queue.withdraw([task_id])
        return done

    async def resume(self, task_id: str) -> bool:
        """Dial a paused task when it is due; ``False`` when it is not paused."""
        done = await self.desk.move(task_id, TaskState.PAUSED, TaskState.WAITING, "", self.clock())
        task = await self.tasks.task(task_id) if done else None
        if task is not None:
            campaign = await self.tasks.campaign(task.campaign_id)
            await self.queue.put([due(task, campaign.trunk if campaign else "default")])
        return done


def check_answering(script: Flow, rules: AnswerRules) -> None:
    """Raises :class:`~agi_bot.campaign.intake.Refused` for what cannot be said or done with ``script``."""
    if rules.on_machine not in ON_MACHINE:
        raise Refused(Problem("answering_machine", f"one of {', '.join(ON_MACHINE)}"))
    if rules.on_machine == "leave_message" and not rules.message:
        raise Refused(Problem("message", "answering_machine: leave_message needs a message (a text or a step)"))
    for field_, text in (("message", rules.message), ("introduction", rules.introduction)):
        if text and (fault := fault_in_aside(script, text)):
            raise Refused(Problem(field_, fault))


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def windows(hours: list[str], days: list[int]) -> tuple[Window, ...]:
    """``["09:00-20:00"]`` and ISO weekdays as calling windows.  Raises :class:`Refused`."""
    try:
        wanted = read_days(days)
    except ValueError as fault:
        raise Refused(Problem("days", str(fault))) from None
    return tuple(_window(text, wanted) for text in hours)


def _window(text: str, days: frozenset[int]) -> Window:
    try:
        return Window(*read_hours(text), days)
    except ValueError as fault:
        raise Refused(Problem("hours", str(fault))) from None


def with_hours(rules: Rules, hours: list[str], days: list[int]) -> Rules:
    """``rules`` with other calling windows."""
    return replace(rules, windows=windows(hours, days))
