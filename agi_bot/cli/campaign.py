"""``agi-bot campaign``: made, filled, started, paused, watched, reported."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from agi_bot.app.reporting import show, write_html
from agi_bot.campaign.export import FORMATS, Export, Wish, as_it_is, write
from agi_bot.campaign.importing import Import, Imported
from agi_bot.campaign.model import Campaign
from agi_bot.campaign.office import Office
from agi_bot.campaign.permission import State
from agi_bot.campaign.store.reports import CampaignReport, ReportStore
from agi_bot.campaign.store.results import ResultStore
from agi_bot.campaign.wording import Wishes, campaign, shown
from agi_bot.cli.screen import screen
from agi_bot.cli.store import ConfigOption, with_office
from agi_bot.errors import AgiBotError
from agi_bot.web.forms import RulesForm
from agi_bot.web.roles import masked

app = typer.Typer(add_completion=False, no_args_is_help=True)
console = screen()

Id = Annotated[str, typer.Argument(help="Id of the campaign.")]


@app.command()
def create(
    campaign_id: Id,
    flow: Annotated[str, typer.Argument(help="Name of the script.")],
    title: Annotated[str, typer.Option(help="Title for reports.")] = "",
    zone: Annotated[str | None, typer.Option(help="Time zone, e.g. Asia/Shanghai.")] = None,
    trunk: Annotated[str | None, typer.Option(help="Name of the trunk.")] = None,
    caller_id: Annotated[str | None, typer.Option(help="Number to show.")] = None,
    lines: Annotated[int | None, typer.Option(help="Calls that may be up at once.", min=1)] = None,
    per_second: Annotated[float | None, typer.Option(help="Calls that may be placed a second.", min=0.01)] = None,
    ring: Annotated[float | None, typer.Option(help="Longest ringing, seconds.", min=5, max=180)] = None,
    hours: Annotated[list[str] | None, typer.Option(help="Calling window, e.g. 09:00-12:00; may be repeated.")] = None,
    days: Annotated[str, typer.Option(help="Weekdays, e.g. 12345 (1 is Monday).")] = "",
    consent: Annotated[bool | None, typer.Option(help="Only people who agreed beforehand.")] = None,
    answering_machine: Annotated[
        str | None, typer.Option(help="hang_up, leave_message or continue when a machine answers.")
    ] = None,
    message: Annotated[str | None, typer.Option(help="Text for a machine, with {slots}; or a step.")] = None,
    introduction: Annotated[str | None, typer.Option(help="Text for a call screener: who calls and why.")] = None,
    early_media: Annotated[bool | None, typer.Option(help="Listen to the network before an answer.")] = None,
    remind: Annotated[
        list[str] | None, typer.Option(help="When to call about appointments: 3d, 1d@10:00, 2h; may be repeated.")
    ] = None,
    rules: Annotated[
        Path | None, typer.Option(help="JSON with more: holidays, caps, retries, caller_ids, sms (see docs/api.md).")
    ] = None,
    start: Annotated[bool, typer.Option(help="Start it at once.")] = False,
    config: ConfigOption = None,
) -> None:
    """Make a campaign; it is paused until it is started."""
    given = Wishes(
        title=title,
        zone=zone,
        trunk=trunk,
        caller_id=caller_id,
        lines=lines,
        per_second=per_second,
        ring_s=ring,
        hours=hours or None,
        days=_days(days) if days else None,
        consent=consent,
        answering_machine=answering_machine,
        message=message,
        introduction=introduction,
        listen_to_early_media=early_media,
        remind=remind or None,
    )
    wishes = replace(given, **_more(rules)) if rules else given

    async def work(office: Office) -> None:
        made = campaign(campaign_id, flow, wishes, office.defaults.campaign)
        state = State.RUNNING if start else State.PAUSED
        await office.create(replace(made, rules=replace(made.rules, state=state)))

    with_office(config, work)
    console.print(f"{campaign_id}: {'running' if start else f'made; agi-bot campaign start {campaign_id}'}")


def _more(path: Path) -> dict[str, Any]:
    """What the file says of a campaign; the same fields and checks as those of the API."""
    try:
        form = RulesForm.model_validate_json(path.read_bytes())
    except OSError as error:
        raise AgiBotError(f"{path}: {error.strerror or error}", cure="name a JSON file") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise AgiBotError(f"{path}: {where}: {first['msg']}", cure="see the campaigns in docs/api.md") from error
    return form.model_dump(exclude_unset=True)


def _days(text: str) -> list[int]:
    if not text.isdecimal() or not text.isascii():
        raise AgiBotError(f"--days {text}: not weekdays", cure="digits from 1 (Monday) to 7, e.g. 12345")
    return [int(day) for day in text]


@app.command("import")
def import_list(
    campaign_id: Id,
    file: Annotated[Path, typer.Argument(help=".csv, .xlsx or .jsonl")],
    refused: Annotated[Path | None, typer.Option(help="CSV to write the refused rows to.")] = None,
    config: ConfigOption = None,
) -> None:
    """Take a list of people; refused rows are told with line and reason, the others are kept."""
    bar = Progress(TextColumn("{task.completed:,} rows"), BarColumn(), console=Console(stderr=True), transient=True)

    async def work(office: Office) -> Imported:
        found = await _campaign(office, campaign_id)
        with bar:
            row = bar.add_task("rows", total=None)
            return await Import(office, found, lambda done: bar.update(row, completed=done.rows)).run(file)

    done = with_office(config, work)
    _tell_import(done)
    if refused is not None:
        done.write(refused)
        console.print(f"refused rows: {refused}")
    raise typer.Exit(0 if not done.refused else 3)


def _tell_import(done: Imported) -> None:
    if done.note:
        console.print(done.note)
    console.print(f"{done.rows:,} rows: {done.new:,} new, {done.known:,} known, {done.refused:,} refused")
    for one in done.problems[:10]:
        console.print(f"  line {one.line}: {one.field}: {one.reason}", markup=False, highlight=False)
    if done.refused > 10:
        console.print("  ... --refused FILE writes all of them")


@app.command()
def start(campaign_id: Id, config: ConfigOption = None) -> None:
    """Place its calls (in agi-bot serve with campaigns.enabled); also after a pause."""
    _set(campaign_id, State.RUNNING, config)


@app.command()
def pause(campaign_id: Id, config: ConfigOption = None) -> None:
    """Place no further calls; those that are up go on."""
    _set(campaign_id, State.PAUSED, config)


@app.command()
def end(campaign_id: Id, config: ConfigOption = None) -> None:
    """End it for good."""
    _set(campaign_id, State.ENDED, config)


def _set(campaign_id: str, state: State, config: Path | None) -> None:
    async def work(office: Office) -> None:
        await _campaign(office, campaign_id)
        await office.tasks.set_state(campaign_id, state)

    with_office(config, work)
    console.print(f"{campaign_id}: {state.value}")


@app.command()
def status(
    campaign_id: Annotated[str, typer.Argument(help="Id of the campaign; none: all.")] = "", config: ConfigOption = None
) -> None:
    """How far campaigns are."""

    async def work(office: Office) -> list[tuple[Campaign, dict[str, int]]]:
        wanted = [await _campaign(office, campaign_id)] if campaign_id else await office.tasks.campaigns()
        return [(one, await office.tasks.counts(one.campaign_id)) for one in wanted]

    table = Table("campaign", "script", "state", "tasks", "done", "waiting", "dialling", "other", box=None)
    for one, counts in with_office(config, work):
        plain = shown(one)
        main = [counts.get(name, 0) for name in ("done", "waiting", "dialling")]
        total = sum(counts.values())
        numbers = [str(number) for number in (total, *main, total - sum(main))]
        table.add_row(one.campaign_id, one.flow, plain["state"], *numbers)
    console.print(table)


@app.command()
def report(
    campaign_id: Id,
    html_file: Annotated[Path | None, typer.Option("--html", help="HTML file to write.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output.")] = False,
    config: ConfigOption = None,
) -> None:
    """Answer rate, outcomes, funnel by step, what nobody understood."""

    async def work(office: Office) -> CampaignReport:
        await _campaign(office, campaign_id)
        return await ReportStore(office.database).campaign(campaign_id)

    found = with_office(config, work)
    if as_json:
        typer.echo(json.dumps(found.plain(), ensure_ascii=False, indent=2))
    else:
        show(found, console)
    if html_file is not None:
        write_html(found, html_file)
        console.print(f"report: {html_file}", soft_wrap=True)


@app.command("export")
def export_results(
    campaign_id: Id,
    out: Annotated[Path, typer.Option(help="File to write.")],
    kind: Annotated[str, typer.Option("--format", help="csv, json or xlsx; none: by the file's ending.")] = "",
    bom: Annotated[bool, typer.Option(help="Begin a CSV with a byte order mark, so that Excel reads Chinese.")] = True,
    mask: Annotated[bool, typer.Option(help="Mask telephone numbers.")] = False,
    original: Annotated[bool, typer.Option(help="Slots before they were masked, where they were kept.")] = False,
    config: ConfigOption = None,
) -> None:
    """Write a row for each task: how it ended, slots, tags, times."""
    wanted = kind or out.suffix.removeprefix(".").lower()
    if wanted not in FORMATS:
        raise AgiBotError(f"--format {wanted}: unknown", cure=f"one of {', '.join(FORMATS)}")

    async def work(office: Office) -> None:
        await _campaign(office, campaign_id)
        wish = Wish(campaign_id, original, bom, masked if mask else as_it_is, office.defaults.recordings)
        await write(Export(ResultStore(office.database), wish), wanted, out)

    try:
        with_office(config, work)
    except OSError as error:
        raise AgiBotError(f"{out}: {error.strerror or error}", cure="choose another --out") from error
    console.print(f"results: {out}", soft_wrap=True)


async def _campaign(office: Office, campaign_id: str) -> Campaign:
    found = await office.tasks.campaign(campaign_id)
    if found is None:
        known = ", ".join(one.campaign_id for one in await office.tasks.campaigns()) or "none"
        raise AgiBotError(f"there is no campaign '{campaign_id}'", cure=f"known: {known}")
    return found
