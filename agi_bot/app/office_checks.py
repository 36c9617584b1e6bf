"""What is wrong with the settings of outbound calling and with what is told to other systems."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

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
    if web.enabled and web.certificate:
        yield certificate(web.certificate, web.certificate_key)


def certificate(file: Path, key: Path | None) -> Finding:
    """Whether HTTPS can be answered with the PEM file ``file`` and its ``key`` (none: in the same file)."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(file, key)
    except OSError as problem:  # ssl.SSLError is one
        missing = next((one for one in (file, key) if one and not one.is_file()), None)
        reason = f"there is no file {missing}" if missing else f"{file}: {problem.strerror or problem}"
        return error(f"web.certificate: {reason}", "PEM files of certificate and, as web.certificate_key, key")
    return ok(f"HTTPS with {file}")


def dialling(settings: Settings) -> Iterator[Finding]:
    """Whether campaigns that are to be dialled have a way to the exchange."""
    if not settings.campaigns.enabled:
        return
    if settings.pbx == "asterisk" and not settings.asterisk.ami.user:
        yield error("campaigns.enabled: no call can be placed without AMI", "asterisk.ami: {host, user, secret}")
    if settings.pbx == "freeswitch" and not settings.freeswitch.password:
        cure = "freeswitch.password, of event_socket.conf.xml"
        yield error("campaigns.enabled: no call can be placed without the event socket", cure)
