"""Asks for calls as a CRM would: over HTTP, with a key."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

from agi_bot.app.outbound import Outbound
from agi_bot.errors import AgiBotError
from agi_bot.web.keys import Role, create_key

ENDED_S = 180.0
"""The call of a task takes no longer, s."""


@asynccontextmanager
async def client_of(bot: Outbound) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a key that was made for it."""
    key = await create_key(bot.office.access, "demo", Role.OPERATOR, bot.office.clock())
    head = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=bot.url, headers=head, trust_env=False, timeout=30) as client:
        yield client


def must(answer: httpx.Response) -> httpx.Response:
    """``answer`` when it is a good one.  Raises :class:`~agi_bot.errors.AgiBotError`."""
    if answer.status_code >= 300:
        raise AgiBotError(f"the API answered {answer.status_code}: {answer.text[:300]}")
    return answer


async def order(client: httpx.AsyncClient, customer: Mapping[str, Any], task: Mapping[str, Any]) -> dict[str, Any]:
    """Tell about the customer, then ask for the call; what the report says of it."""
    must(await client.put(f"/api/v1/customers/{task['customer_id']}", json=dict(customer)))
    answer = must(await client.post("/api/v1/call/task", json=dict(task)))
    told = {"url": str(answer.url), "request": dict(task), "status": answer.status_code}
    return {**told, "task_id": answer.json()["task_id"]}


async def ended(client: httpx.AsyncClient, task_id: str) -> dict[str, Any]:
    """The task, when its first attempt is over.  Raises :class:`~agi_bot.errors.AgiBotError`."""
    try:
        async with asyncio.timeout(ENDED_S):
            while True:
                task: dict[str, Any] = must(await client.get(f"/api/v1/tasks/{task_id}")).json()
                if task["state"] in ("done", "cancelled", "orphaned") or any(one["how"] for one in task["attempts"]):
                    return task
                await asyncio.sleep(0.3)
    except TimeoutError:
        raise AgiBotError("the demo's call did not end in time", cure="run it again with --log-level info") from None
