"""Customers, tags, do-not-call lists, consent, and why a number was or was not called."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from agi_bot.campaign.intake import check_name, check_number, check_text, check_texts, check_zone
from agi_bot.campaign.number_lists import import_consent, import_do_not_call
from agi_bot.web.doors import At, Operator, Viewer, there
from agi_bot.web.forms import ConsentForm, CustomerForm, DoNotCallForm, ErrorAnswer, TagsForm
from agi_bot.web.roles import for_eyes_of
from agi_bot.web.times import with_times
from agi_bot.web.upload import uploaded

router = APIRouter()

NOT_A_LIST: dict[int | str, dict[str, Any]] = {415: {"model": ErrorAnswer}}


@router.put("/customers/{customer_id}", tags=["customers"])
async def put_customer(customer_id: str, form: CustomerForm, desk: At, caller: Operator) -> dict[str, Any]:
    """Create a customer or replace what is known."""
    check_text(check_name(customer_id, "customer_id"), "customer_id")
    check_number(form.number)
    check_text(form.name, "name")
    check_texts(form.data, "data")
    if form.zone:
        check_zone(form.zone)
    for tag in form.tags or ():
        check_text(tag, "tags")
    people = desk.office.people
    await people.save(customer_id, form.number, name=form.name, zone=form.zone, data=form.data)
    if form.tags is not None:
        await people.set_tags(customer_id, form.tags)
    return there(await people.get(customer_id), f"customer {customer_id}")  # type: ignore[no-any-return]


@router.get("/customers", tags=["customers"])
async def customers(
    desk: At, caller: Viewer, tag: str = "", after: str = "", limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> list[dict[str, Any]]:
    """Customers by id; the next page begins behind ``after``."""
    return for_eyes_of(caller, await desk.office.people.page(after, tag, limit))


@router.get("/customers/{customer_id}", tags=["customers"])
async def customer(customer_id: str, desk: At, caller: Viewer) -> dict[str, Any]:
    """One customer with tags. Viewers see numbers masked."""
    found: dict[str, Any] = there(await desk.office.people.get(customer_id), f"customer {customer_id}")
    return for_eyes_of(caller, found)


@router.put("/customers/{customer_id}/tags", tags=["customers"])
async def put_tags(customer_id: str, form: TagsForm, desk: At, caller: Operator) -> dict[str, Any]:
    """Replace a customer's tags."""
    for tag in form.tags:
        check_text(tag, "tags")
    there(await desk.office.people.set_tags(customer_id, form.tags), f"customer {customer_id}")
    return there(await desk.office.people.get(customer_id), f"customer {customer_id}")  # type: ignore[no-any-return]


@router.post("/do-not-call", tags=["permission"])
async def add_do_not_call(form: DoNotCallForm, desk: At, caller: Operator) -> dict[str, int]:
    """Never call these numbers; one bad number refuses all of them."""
    check_name(form.list_, "list")
    check_text(form.source, "source")
    numbers = [check_number(number, f"numbers[{at}]") for at, number in enumerate(form.numbers)]
    added = await desk.office.tasks.add_do_not_call(form.list_, numbers, form.source, desk.office.clock())
    return {"added": added}


@router.delete("/do-not-call/{list_name}/{number}", status_code=204, tags=["permission"])
async def strike(list_name: str, number: str, desk: At, caller: Operator) -> None:
    """Take a number off a list."""
    there(await desk.office.people.strike(list_name, number), f"number {number} on the list {list_name}")


@router.post("/do-not-call/{list_name}/import", responses=NOT_A_LIST, tags=["permission"])
async def import_list(list_name: str, request: Request, desk: At, caller: Operator) -> dict[str, Any]:
    """Never call the numbers of a list (text/csv, application/x-ndjson, .xlsx) with a column `number`."""
    async with uploaded(request, desk) as path:
        return (await import_do_not_call(desk.office, list_name, f"import by {caller.name}", path)).plain()


@router.post("/consent/import", responses=NOT_A_LIST, tags=["permission"])
async def import_agreed(
    request: Request,
    desk: At,
    caller: Operator,
    source: Annotated[str, Query(max_length=200, description="Where the consent comes from.")],
    given: bool = True,
) -> dict[str, Any]:
    """The people of a list with a column `number` agreed to be called, or (`given=false`) took it back."""
    async with uploaded(request, desk) as path:
        return (await import_consent(desk.office, given, source, path)).plain()


@router.put("/consent/{number}", status_code=204, tags=["permission"])
async def consent(number: str, form: ConsentForm, desk: At, caller: Operator) -> None:
    """The person agreed to be called, or took it back."""
    check_text(form.source, "source")
    await desk.office.tasks.set_consent([check_number(number)], form.given, form.source, desk.office.clock())


@router.get("/numbers/{number}", tags=["permission"])
async def why(number: str, desk: At, caller: Viewer) -> dict[str, Any]:
    """What is known of a number and every decision about it, newest first."""
    check_number(number)
    office = desk.office
    return {
        "number": number,
        "known": with_times(await office.people.known(number)),
        "do_not_call": [with_times(one) for one in await office.people.lists(number)],
        "decisions": [with_times(one) for one in await office.tasks.decisions(number)],
        "attempts": [with_times(one) for one in await office.people.attempts(number)],
    }


@router.delete("/numbers/{number}/unallocated", status_code=204, tags=["permission"])
async def exists(number: str, desk: At, caller: Operator) -> None:
    """The number exists after all and may be called again."""
    there(await desk.office.people.exist([check_number(number)]), f"a mark that {number} does not exist")
