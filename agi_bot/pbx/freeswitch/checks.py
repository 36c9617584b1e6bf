"""What is wrong with a FreeSWITCH and what to do: its part of ``agi-bot check``.

Everything is asked over the event socket, so it holds for the FreeSWITCH that runs, not for the
files that somebody looks at.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from xml.etree import ElementTree

from agi_bot.findings import Finding, error, ok, warning
from agi_bot.pbx.freeswitch.addresses import our_addresses
from agi_bot.pbx.freeswitch.options import FreeSwitchOptions
from esl import AccessDenied, Client, CommandFailed, ConnectFailed, EslError, WrongPassword, backend

SHIPPED_PASSWORD = "ClueCon"
OLDEST = (1, 6)

NEEDED = {
    "mod_sofia": "SIP calls",
    "mod_dptools": "the applications socket, answer and set",
    "mod_commands": "sched_api, which brings callers back when the bot dies",
    "mod_dialplan_xml": "dialplans/freeswitch/agi_bot.xml",
}
USEFUL = {"mod_spandsp": "G.722", "mod_opus": "Opus", "mod_sndfile": "recordings as WAV"}

_EVERYWHERE = ("0.0.0.0", "::", "")


@dataclass(frozen=True, slots=True)
class SocketSettings:
    """event_socket.conf.xml as FreeSWITCH has it."""

    listen_ip: str
    password: str
    acl: str

    @property
    def local(self) -> bool:
        """Whether only this machine can connect."""
        if self.listen_ip in _EVERYWHERE:
            return False
        try:
            return ipaddress.ip_address(self.listen_ip).is_loopback
        except ValueError:
            return self.listen_ip == "localhost"


async def check_freeswitch(options: FreeSwitchOptions) -> AsyncIterator[Finding]:
    """Every finding about the FreeSWITCH of ``options`` as soon as it is known."""
    async for finding in our_addresses(options):
        yield finding
    if not options.esl_password:
        cure = "set freeswitch.password to that of event_socket.conf.xml; without it the bot only takes calls"
        yield warning("FreeSWITCH: not asked, there is no password for its event socket", cure)
        return
    client = Client(
        options.esl_host, options.esl_port, options.esl_password, timeout=5.0, transport=backend(options.backend)
    )
    try:
        await client.connect()
    except EslError as failure:
        yield unreachable(failure, options)
        return
    try:
        async for finding in _ask(client, options):
            yield finding
    except EslError as failure:
        yield error(f"FreeSWITCH: {failure}", "look at its log")
    finally:
        await client.close()


def unreachable(failure: EslError, options: FreeSwitchOptions) -> Finding:
    """The finding about a login that failed."""
    where = f"FreeSWITCH at {options.esl_host}:{options.esl_port}"
    if isinstance(failure, WrongPassword):
        cure = "freeswitch.password must be that of event_socket.conf.xml (after a change: reload mod_event_socket)"
        return error(f"{where} refuses the password", cure)
    if isinstance(failure, AccessDenied):
        return error(f"{where} refuses our address", "add it to the list that apply-inbound-acl names")
    if isinstance(failure, ConnectFailed):
        cure = "does it run, with mod_event_socket loaded? freeswitch.host and freeswitch.port tell where it listens"
        return error(f"FreeSWITCH does not answer: {failure}", cure)
    return error(f"{where}: {failure}", "look at its log")


async def _ask(client: Client, options: FreeSwitchOptions) -> AsyncIterator[Finding]:
    yield version(await client.api("version"))
    settings = read_settings(await _xml(client, "configuration configuration name event_socket.conf"))
    for finding in exposure(settings):
        yield finding
    for finding in modules({name: await _loaded(client, name) for name in (*NEEDED, *USEFUL)}):
        yield finding
    if options.media != "unicast":
        module = f"mod_{options.media}"
        yield media(module, await _loaded(client, module), await _text(client, f"uuid_{options.media}"))
    for profile in profiles(await _text(client, "sofia status")):
        yield codecs(profile, await _text(client, f"sofia status profile {profile}"))
    yield dialplan(await _xml(client, f"dialplan context name {options.context}"), options.context)
    yield bot_port((await _text(client, "global_getvar agi_bot_port")).strip(), options.port)
    if gateway := gateway_of(options.channel):
        yield gateway_known(gateway, await _text(client, f"sofia status gateway {gateway}"))


async def _text(client: Client, command: str) -> str:
    try:
        return await client.api(command)
    except CommandFailed as refusal:
        return refusal.reply


async def _xml(client: Client, where: str) -> str:
    text = await _text(client, f"xml_locate {where}")
    return text if text.lstrip().startswith("<") else ""


async def _loaded(client: Client, module: str) -> bool:
    return (await _text(client, f"module_exists {module}")).strip() == "true"


# --- findings from what FreeSWITCH answered


def version(told: str) -> Finding:
    """Whether the version is one that has ``unicast`` as the bot uses it."""
    found = re.search(r"(\d+)\.(\d+)\.\d+\S*", told)
    if found is None:
        return warning(f"FreeSWITCH tells no version: {told.strip()[:60]}", "1.10 is what is tested")
    if (int(found[1]), int(found[2])) < OLDEST:
        return error(f"FreeSWITCH {found[0]} is too old", "1.6 or newer; 1.10 is what is tested")
    return ok(f"FreeSWITCH {found[0]}")


def read_settings(xml: str) -> SocketSettings | None:
    """The settings in FreeSWITCH's own XML; None when there are none to be read."""
    try:
        root = ElementTree.fromstring(xml)
    except ElementTree.ParseError:
        return None
    told = {param.get("name", ""): param.get("value", "") for param in root.iter("param")}
    return SocketSettings(
        told.get("listen-ip", "127.0.0.1"), told.get("password", SHIPPED_PASSWORD), told.get("apply-inbound-acl", "")
    )


def exposure(settings: SocketSettings | None) -> Iterator[Finding]:
    """Who can take over this FreeSWITCH through its event socket."""
    if settings is None:
        yield warning("event_socket.conf.xml cannot be read over the event socket", "look at it yourself")
        return
    yield _password(settings)
    yield _listening(settings)


def _password(settings: SocketSettings) -> Finding:
    if settings.password != SHIPPED_PASSWORD:
        return ok("event socket: own password")
    what = f"event socket: the password is {SHIPPED_PASSWORD}, which everybody knows"
    cure = "change it in event_socket.conf.xml: who has it can run commands as FreeSWITCH's user"
    return warning(what, cure) if settings.local else error(what, cure)


def _listening(settings: SocketSettings) -> Finding:
    where = f"event socket: listens on {settings.listen_ip or 'every address'}"
    if settings.local:
        return ok(where)
    if settings.acl:
        return ok(f"{where}, guarded by the list {settings.acl}")
    cure = "set listen-ip to 127.0.0.1, or name a list in apply-inbound-acl (event_socket.conf.xml)"
    return error(f"{where} and no access list guards it", cure)


def modules(loaded: dict[str, bool]) -> Iterator[Finding]:
    """Missing modules, each with what it is for."""
    for name, what in NEEDED.items():
        if not loaded.get(name):
            yield error(f"{name} is not loaded: {what}", f"add it to modules.conf.xml, then: load {name}")
    for name, what in USEFUL.items():
        if not loaded.get(name):
            yield warning(f"{name} is not loaded: no {what}", f"add it to modules.conf.xml if you want {what}")
    if all(loaded.get(name) for name in NEEDED):
        yield ok("modules: all that are needed are loaded")


def media(module: str, loaded: bool, usage: str) -> Finding:
    """Whether the module that shall carry the sound is there and, for mod_audio_fork, carries it both ways."""
    if not loaded:
        cure = f"install it and say: load {module}; or set freeswitch.media: unicast, which every FreeSWITCH has"
        return error(f"{module} is not loaded: freeswitch.media wants it", cure)
    if find_spec("websockets") is None:
        return error(f"{module}: the bot has no WebSocket server", "pip install agi-bot[websocket]")
    if module == "mod_audio_fork" and "bidirectionalAudio" not in usage:
        cure = "that of jambonz/freeswitch-modules does; or set freeswitch.media: unicast"
        return error(f"{module}: this version cannot speak to callers", cure)
    return ok(f"sound: by {module}")


def profiles(status: str) -> list[str]:
    """Names of the SIP profiles in ``sofia status``."""
    rows = [line.split() for line in status.splitlines()]
    return [row[0] for row in rows if len(row) > 2 and row[1] == "profile" and row[2].startswith("sip")]


def codecs(profile: str, status: str) -> Finding:
    """Whether a profile offers G.711, which every telephone has."""
    found = re.search(r"^CODECS IN\s+(\S+)", status, re.MULTILINE)
    offered = found[1].split(",") if found else []
    names = {codec.split("@")[0].upper() for codec in offered}
    if not names & {"PCMU", "PCMA"}:
        cure = "add PCMU,PCMA to inbound-codec-prefs (usually global_codec_prefs in vars.xml)"
        return warning(f"profile {profile} offers no G.711: {', '.join(offered) or 'nothing known'}", cure)
    return ok(f"profile {profile}: {', '.join(offered)}")


def dialplan(xml: str, context: str) -> Finding:
    """Whether the shipped dialplan is there."""
    if "agi_bot_back" in xml:
        return ok(f"dialplan: context {context} is there")
    cure = "copy dialplans/freeswitch/agi_bot.xml to conf/dialplan/, then: reloadxml"
    if xml:
        return warning(f"dialplan: context {context} is not the shipped one", cure)
    return error(f"dialplan: there is no context {context}", cure)


def bot_port(told: str, port: int) -> Finding:
    """Whether the dialplan calls the port on which the bot listens."""
    used = told if told and told != "_undef_" and not told.startswith("-") else "8084"
    if str(port) == used:
        return ok(f"dialplan: calls the bot on port {used}")
    cure = f"set agi_bot_port={port} in vars.xml, or freeswitch.listen_port: {used}"
    return error(f"dialplan: calls the bot on port {used}, but it listens on {port}", cure)


def gateway_of(channel: str) -> str:
    """The gateway that a dial string names; empty when it names none."""
    found = re.match(r"sofia/gateway/([^/]+)/", channel)
    return found[1] if found else ""


def gateway_known(name: str, status: str) -> Finding:
    """Whether outbound calls have a gateway to go through."""
    if "Invalid Gateway" in status or not re.search(r"^Name\s", status, re.MULTILINE):
        cure = "add it below conf/sip_profiles/, or name another one in freeswitch.channel"
        return warning(f"outbound calls: there is no gateway {name}", cure)
    state = re.search(r"^Status\s+(\S+)", status, re.MULTILINE)
    if state and state[1].upper().startswith("DOWN"):
        return warning(f"outbound calls: gateway {name} is down", f"sofia status gateway {name}")
    return ok(f"outbound calls: gateway {name}")
