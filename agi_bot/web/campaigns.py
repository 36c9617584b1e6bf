"""Campaigns: made, read, started, paused, ended, filled."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request

from agi_bot.campaign.importing import Import
from agi_bot.campaign.permission import State
from agi_bot.campaign.store.reports import ReportStore
from agi_bot.campaign.wording import Wishes, campaign, shown
from agi_bot.web.doors import At, Desk, Operator, Viewer, there
from agi_bot.web.forms import CampaignForm
from agi_bot.web.upload import uploaded

router = APIRouter(prefix="/campaigns", tags=["campaigns"])


@router.post("", status_code=201)
async def create(form: CampaignForm, desk: At, caller: Operator) -> dict[str, Any]:
    """Make a campaign; it runs at once, unless `start` is false."""
    fields = form.model_dump(exclude={"campaign_id", "script_id", "start"})
    made = campaign(form.campaign_id, form.script_id, Wishes(**fields), desk.office.defaults.campaign)
    state = State.RUNNING if form.start else State.PAUSED
    made = replace(made, rules=replace(made.rules, state=state))
    await desk.office.create(made)
    return shown(made)


@router.get("")
async def campaigns(desk: At, caller: Viewer) -> list[dict[str, Any]]:
    """All campaigns, oldest first."""
    return [shown(one) for one in await desk.office.tasks.campaigns()]


@router.get("/{campaign_id}")
async def read(campaign_id: str, desk: At, caller: Viewer) -> dict[str, Any]:
    """One campaign with its tasks counted by state."""
    found = there(await desk.office.tasks.campaign(campaign_id), f"campaign {campaign_id}")
    return {**shown(found), "tasks": await desk.office.tasks.counts(campaign_id)}


@router.get("/{campaign_id}/report")
async def report(campaign_id: str, desk: At, caller: Viewer) -> dict[str, Any]:
    """Answer rate, outcomes, funnel by step, unanswered questions."""
    there(await desk.office.tasks.campaign(campaign_id), f"campaign {campaign_id}")
    return (await ReportStore(desk.office.database).campaign(campaign_id)).plain()


@router.post("/{campaign_id}/pause")
async def pause(campaign_id: str, desk: At, caller: Operator) -> dict[str, Any]:
    """Place no further calls."""
    return await _set(desk, campaign_id, State.PAUSED)


@router.post("/{campaign_id}/resume")
async def resume(campaign_id: str, desk: At, caller: Operator) -> dict[str, Any]:
    """Go on placing calls."""
    return await _set(desk, campaign_id, State.RUNNING)


@router.post("/{campaign_id}/end")
async def end(campaign_id: str, desk: At, caller: Operator) -> dict[str, Any]:
    """End it for good: tasks that wait are closed."""
    return await _set(desk, campaign_id, State.ENDED)


async def _set(desk: Desk, campaign_id: str, state: State) -> dict[str, Any]:
    there(await desk.office.tasks.campaign(campaign_id), f"campaign {campaign_id}")
    await desk.office.tasks.set_state(campaign_id, state)
    return await read_shown(desk, campaign_id)


async def read_shown(desk: Desk, campaign_id: str) -> dict[str, Any]:
    """The campaign as it is now."""
    return shown(there(await desk.office.tasks.campaign(campaign_id), f"campaign {campaign_id}"))


@router.post("/{campaign_id}/import")
async def import_list(campaign_id: str, request: Request, desk: At, caller: Operator) -> dict[str, Any]:
    """Take a list: text/csv, application/x-ndjson or the type of .xlsx; refused rows are told, the others are kept."""
    found = there(await desk.office.tasks.campaign(campaign_id), f"campaign {campaign_id}")
    async with uploaded(request, desk) as path:
        return (await Import(desk.office, found).run(path)).plain()
