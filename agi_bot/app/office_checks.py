"""What is wrong with the settings of outbound calling and with what is told to other systems."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from agi_bot.address import BadAddress, resolve
from agi_bot.config import Settings
from agi_bot.config.outbound import OutboxSettings
from agi_bot.findings import Finding, error, ok, warning
from agi_bot.flow.catalogue import Catalogue
from agi_bot.flow.versions import Library
from agi_bot.pbx.asterisk_checks import check_port


def events(settings: Settings) -> Iterator[Finding]:
    """The rules of ``campaigns.events`` whose flow nobody wrote: their events would be refused."""
    flows = Catalogue(settings.flows.folder, library=Library(settings.flows.published))
    flows.refresh()
    for name, rule in settings.campaigns.events.items():
        if flows.get(rule.flow) is None:
            known = ", ".join(sorted(flows.names())) or "none"
            yield error(f"campaigns.events.{name}: there is no flow {rule.flow}", f"flows here: {known}")


async def receivers(settings: Settings) -> AsyncIterator[Finding]:
    """Whether results and text messages have an address to which anything may be sent."""
    for name, wanted in (("outbox", settings.outbox), ("sms", settings.sms)):
        if wanted.url:
            yield await receiver(name, wanted)


async def receiver(name: str, wanted: OutboxSettings) -> Finding:
    """Whether ``wanted.url`` can be looked up and may be sent to; nothing is sent."""
    try:
        target = await resolve(wanted.url, wanted.allow_private)
    except BadAddress as problem:
        return error(f"{name}.url: {problem.message}", f"{problem.cure}; until then nothing is sent")
    except OSError as problem:
        reason = problem.strerror or str(problem)
        return warning(f"{name}.url: {wanted.url} cannot be looked up ({reason})", "correct the address, or its DNS")
    return ok(f"{name}.url: {target.host} is {target.ip}")


def api(settings: Settings) -> Iterator[Finding]:
    """Whether the API's port can be listened on, where it is wanted."""
    web = settings.web
    if web.enabled:
        yield check_port(web.host, web.port, "API", "web.port")
