"""The campaign demo: simulated people are called through a private Asterisk, from REST request to report."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console

from agi_bot.app.exchange import exchange
from agi_bot.app.outbound import Outbound, outbound
from agi_bot.app.reporting import show, write_html
from agi_bot.app.running import running
from agi_bot.campaign.office import Office
from agi_bot.campaign.store.reports import CampaignReport, ReportStore
from agi_bot.config import Settings
from agi_bot.demo.crm import Crm
from agi_bot.demo.order import client_of, must
from agi_bot.demo.people import Person, announcement, answering, cast, record_parts
from agi_bot.demo.theatre import AsteriskTheatre
from agi_bot.errors import AgiBotError
from agi_bot.shipped import shipped

CAMPAIGN = "demo"
FLOW = "appointment_reminder"
LINES = 3
"""Calls at once: few, so that two cores have time to listen."""

RING_S = 6.0
CALL_S = 60.0
"""A call takes no longer, s."""


class CampaignDemo:
    """``count`` people; everything it leaves lies in ``folder``."""

    def __init__(self, count: int, theatre: AsteriskTheatre, folder: Path, console: Console) -> None:
        self._people = cast(count)
        self._theatre = theatre
        self._folder = folder
        self._console = console

    async def run(self) -> CampaignReport:
        """Call everybody once; the report.  Raises :class:`~agi_bot.errors.AgiBotError`."""
        async with AsyncExitStack() as stack:
            lines = await record_parts(self._folder / "people")
            stack.push_async_callback(self._theatre.close)
            crm = stack.enter_context(Crm())
            settings = self._settings(crm.url, await self._theatre.open())
            pbx = exchange(settings)
            parts = await stack.enter_async_context(running(settings, pbx))
            await pbx.start()
            await self._theatre.connect(pbx)
            await self._theatre.announce(announcement(self._folder / "people"))
            await stack.enter_async_context(answering(self._theatre.phone, self._people, lines))
            bot = await stack.enter_async_context(outbound(settings, parts))
            await self._order(bot, settings)
            await self._follow(bot.office)
            await self._told(bot.office)
            return self._report(await ReportStore(parts.database).campaign(CAMPAIGN), settings, crm)

    def _settings(self, crm_url: str, exchange_settings: Mapping[str, Any]) -> Settings:
        return Settings.model_validate(
            {
                **exchange_settings,
                "flows": {"folder": shipped("flows")},
                "store": {"database": self._folder / "agi-bot.db", "recordings": self._folder / "recordings"},
                "speaking": {"cache": self._folder / "prompts"},
                "hooks": {"crm.reschedule": {"url": crm_url, "allow_private": True}},
                "campaigns": {"enabled": True, "early_media_folder": self._folder / "early-media"},
                "web": {"enabled": True, "port": 0},
                "outbox": {"url": crm_url, "allow_private": True},
            }
        )

    async def _order(self, bot: Outbound, settings: Settings) -> None:
        """Ask for the calls as a CRM would: over HTTP, with a key."""
        now = datetime.now(ZoneInfo(settings.flows.timezone))
        when = (now + timedelta(days=3)).replace(hour=10, minute=0, second=0, microsecond=0, tzinfo=None)
        async with client_of(bot) as client:
            must(await client.post("/api/v1/campaigns", json=_campaign()))
            for at, person in enumerate(self._people):
                data = {"name": person.name, "appointment": when.isoformat(), "item": "血糖复查"}
                task = {"customer_id": str(at + 1), "script_id": FLOW, "call_time": now.isoformat()}
                must(
                    await client.post(
                        "/api/v1/call/task",
                        json={**task, "number": person.number, "data": data, "campaign_id": CAMPAIGN},
                    )
                )
        self._console.print(f"{len(self._people)} tasks over {bot.url}/api/v1/call/task, {LINES} lines\n")

    async def _follow(self, office: Office) -> None:
        """Tell how each call ended, until everybody was called."""
        people = {person.number: person for person in self._people}
        told: set[str] = set()
        longest = RING_S + CALL_S
        async with asyncio.timeout(60 + longest * len(people) / LINES):
            while len(told) < len(people):
                for number, how in await _ended(office):
                    if number not in told:
                        told.add(number)
                        self._tell(people[number], how)
                await asyncio.sleep(0.3)

    def _tell(self, person: Person, how: str) -> None:
        self._console.print(f"{person.number}  {person.name}  {person.part.name:<22}  {how}", highlight=False)

    async def _told(self, office: Office) -> None:
        """The CRM takes its time."""
        async with asyncio.timeout(20):
            while "waiting" in await office.outbox.backlog():  # noqa: ASYNC110 - the sender is another part
                await asyncio.sleep(0.1)

    def _report(self, report: CampaignReport, settings: Settings, crm: Crm) -> CampaignReport:
        results = [one for one in crm.received if "attempt_id" in one]
        page = self._folder / "campaign.html"
        write_html(report, page)
        self._console.print()
        show(report, self._console)
        self._console.print(f"told to the CRM  {len(results)} results")
        for name, path in (("database", settings.store.database), ("recordings", settings.store.recordings)):
            self._console.print(f"{name:<16} {path}", soft_wrap=True)
        self._console.print(f"report           {page}", soft_wrap=True)
        return report


def _campaign() -> dict[str, Any]:
    return {
        "campaign_id": CAMPAIGN,
        "script_id": FLOW,
        "title": "复诊预约提醒",
        "lines": LINES,
        "per_second": 2.0,
        "ring_s": RING_S,
        "answering_machine": "leave_message",
        "message": "您好，{name}，这里是市一医院，请您回电确认复诊预约，谢谢。",
        "hours": ["00:00-23:59:59.999999"],
    }


async def _ended(office: Office) -> Sequence[tuple[str, str]]:
    query = "SELECT number, how FROM attempts WHERE ended_at IS NOT NULL ORDER BY ended_at"
    return await office.database.run(lambda db: [(str(a), str(b)) for a, b in db.execute(query)])


def run_campaign(count: int, folder: Path | None, console: Console, theatre: AsteriskTheatre) -> CampaignReport:
    """Run the demo into ``folder`` (none: a new temporary one)."""
    where = (folder or Path(tempfile.mkdtemp(prefix="agi-bot-demo-"))).resolve()
    try:
        return asyncio.run(CampaignDemo(count, theatre, where, console).run())
    except TimeoutError as error:
        raise AgiBotError("the calls did not end in time", cure="run it again with --log-level info") from error
    except OSError as error:
        raise AgiBotError(f"the demo cannot run: {error}") from error
