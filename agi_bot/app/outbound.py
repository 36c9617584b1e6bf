"""The outbound half of a running bot: dialer, outbox and API, started and stopped in order."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from agi_bot.app.answering import answer_rules
from agi_bot.app.placer import BotPlacer
from agi_bot.app.running import Running
from agi_bot.campaign.appointments import Appointments
from agi_bot.campaign.dialer import Dialer, DialerSettings
from agi_bot.campaign.model import Campaign
from agi_bot.campaign.office import Defaults, Event, Office, with_hours
from agi_bot.campaign.outbox import Receiver, Sender
from agi_bot.campaign.permission import Rules
from agi_bot.config import Settings
from agi_bot.config.outbound import OutboxSettings, SmsSettings
from agi_bot.errors import AgiBotError, ConfigError
from agi_bot.web.live import Live

log = logging.getLogger(__name__)

AGAIN_S = 5.0
"""How soon a dialer that could not start is started again, s."""

DRAIN_S = 15.0
"""How long calls that are up may go on when the bot is stopped, s."""


@dataclass(frozen=True, slots=True)
class Outbound:
    """The parts; ``senders`` by receiver (``crm``, ``sms``); ``url`` is that of the API, empty without one."""

    office: Office
    dialer: Dialer | None
    senders: Mapping[str, Sender]
    url: str


def defaults(settings: Settings) -> Defaults:
    """What a campaign is that does not say otherwise."""
    wanted = settings.campaigns
    campaign = Campaign(
        campaign_id="",
        flow="",
        zone=wanted.zone,
        trunk=wanted.trunk,
        caller_id=wanted.caller_id,
        lines=wanted.lines,
        per_second=wanted.per_second,
        ring_s=wanted.ring_s,
        rules=with_hours(Rules(), wanted.hours, wanted.days),
        answering=answer_rules(settings),
    )
    events = {
        name: Event(rule.flow, rule.campaign, rule.delay_s, rule.priority) for name, rule in wanted.events.items()
    }
    return Defaults(campaign, events, settings.store.recordings)


@asynccontextmanager
async def outbound(settings: Settings, parts: Running) -> AsyncIterator[Outbound]:
    """Dial, tell the CRM and answer HTTP as ``settings`` want it, until the end of the block.

    Raises :class:`~agi_bot.errors.AgiBotError` when something cannot be started.
    """
    office = Office(parts.database, parts.flows, defaults(settings))
    async with AsyncExitStack() as stack:
        senders = _senders(settings, office)
        for name, sender in senders.items():
            stack.push_async_callback(_stopped, sender, _watched(sender.run(), f"outbox-{name}"))
        dialer = _dialer(settings, parts, office)
        if dialer is not None:
            stack.push_async_callback(_stopped, dialer, _watched(_persist(dialer), "dialer"))
            stack.push_async_callback(_cancelled, _watched(Appointments(office).run(), "appointments"))
        url = ""
        if settings.web.enabled:
            url = await stack.enter_async_context(_web(settings, parts, office, dialer, senders))
        yield Outbound(office, dialer, senders, url)


def _senders(settings: Settings, office: Office) -> dict[str, Sender]:
    receivers = [_receiver(settings.outbox, "crm"), _gateway(settings.sms)]
    return {one.name: Sender(office.outbox, one, time.time) for one in receivers if one.url}


def _receiver(wanted: OutboxSettings, name: str) -> Receiver:
    return Receiver(
        url=wanted.url,
        name=name,
        secret=wanted.secret,
        headers=wanted.headers,
        timeout_s=wanted.timeout_s,
        most_tries=wanted.most_tries,
        allow_private=wanted.allow_private,
    )


def _gateway(wanted: SmsSettings) -> Receiver:
    return replace(_receiver(wanted, "sms"), body=wanted.body, as_form=wanted.form, accepted=wanted.accepted)


def _dialer(settings: Settings, parts: Running, office: Office) -> Dialer | None:
    if not settings.campaigns.enabled:
        return None
    placer = BotPlacer(parts.bot, parts.calls, time.time, office.people, settings.store.recordings)
    # Beats of a sixth: one that the disk holds up makes nobody dead.
    silent_s = settings.campaigns.dead_after_s
    pace = DialerSettings(beat_s=min(5.0, silent_s / 6), silent_s=silent_s)
    return Dialer(
        office.tasks,
        office.queue,
        placer,
        time.time,
        pace,
        obstacle=lambda: parts.pbx.obstacle,
        records=placer,
    )


async def _persist(dialer: Dialer) -> None:
    """Dial, also when the store could not be read at the start: a disk that is full now may not be so later."""
    while True:
        try:
            await dialer.run()
        except AgiBotError as error:
            dialer.trouble = str(error)
            log.error("dialer.not_started", extra={"reason": str(error), "again_s": AGAIN_S})
        except Exception as error:
            dialer.trouble = f"{type(error).__name__}: {error}"
            log.exception("dialer.crashed", extra={"again_s": AGAIN_S})
        else:
            return
        await asyncio.sleep(AGAIN_S)


def _watched(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(_tell)
    return task


def _tell(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error("outbound.crashed", extra={"part": task.get_name()}, exc_info=task.exception())


async def _cancelled(running: asyncio.Task[None]) -> None:
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def _stopped(part: Dialer | Sender, running: asyncio.Task[None]) -> None:
    part.stop()
    await asyncio.wait({running}, timeout=DRAIN_S)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@asynccontextmanager
async def _web(
    settings: Settings, parts: Running, office: Office, dialer: Dialer | None, senders: Mapping[str, Sender]
) -> AsyncIterator[str]:
    try:
        from agi_bot.web.api import Options, application
        from agi_bot.web.server import Tls, serving
    except ImportError as error:
        raise ConfigError(f"web.enabled: {error.name} is not installed", cure='pip install "agi-bot[web]"') from error
    web, threads = settings.web, parts.workshop.recognizer.threads
    live = Live(
        calls=lambda: parts.bot.running,
        dialling=lambda: dialer.live if dialer else 0,
        dialer=dialer.counters if dialer else {},
        outbox={name: sender.counters for name, sender in senders.items()},
        meter=parts.bot.meter,
        obstacle=lambda: parts.pbx.obstacle,
        waits=lambda: dialer.trouble if dialer else "",
        prompts=parts.workshop.voices.readiness,
        hearing=lambda: {"stuck": threads.stuck, "replaced": threads.replaced},
    )
    options = Options(
        requests_per_minute=web.requests_per_minute,
        max_body=web.max_body_kb * 1024,
        max_import=web.max_import_mb * 1024 * 1024,
        recordings=settings.store.recordings,
    )
    tls = Tls(web.certificate, web.certificate_key) if web.certificate else None
    async with serving(application(office, live, options), web.host, web.port, tls) as url:
        log.info("web.ready", extra={"url": url})
        yield url
