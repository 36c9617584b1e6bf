"""What is wrong between the bot and an Asterisk, and what to do about it (``agi-bot check``)."""

from __future__ import annotations

import re
import resource
import socket
import time
from collections.abc import Awaitable, Callable

from agi_bot.errors import PbxError
from agi_bot.findings import Finding, Level, error, ok, warning
from agi_bot.pbx.ami import Ami
from agi_bot.pbx.asterisk.options import AsteriskOptions
from agi_bot.pbx.asterisk.versions import DIGITS, TECH_CAUSE, has, parse

FILES_PER_CALL = 6
"""File descriptors that Asterisk opens for a call with the bot (5 on SIP, 6 on Local channels)."""

MAX_SKEW_S = 2.0

OUTBOUND, ROUTES = "agi-bot-outbound", "outbound"
"""Our context of placed calls, and the admin's own that it goes on to unless AGI_BOT_ROUTES names another."""

README_SECRET = "change-me"

MODULES = {
    "app_audiosocket.so": "it carries the sound: module load app_audiosocket.so (Asterisk 18 or newer)",
    "res_agi.so": "it hands calls to the bot: module load res_agi.so",
}
CODECS = ("codec_ulaw.so", "codec_alaw.so")

RIGHTS = {
    "write perm": {
        "originate": "outbound calls cannot be placed",
        "call": "a frozen bot is noticed late, and calls cannot be cancelled",
    },
    "read perm": {"call": "the bot cannot tell why an outbound call failed"},
}
"""What an AMI user needs, and what is missing without it."""


async def check_asterisk(options: AsteriskOptions, *, calls: int = 100) -> list[Finding]:
    """All findings for an installation that shall carry ``calls`` calls at once; raises nothing."""
    findings = [
        check_port(options.agi_host, options.agi_port, "FastAGI", "agi_port"),
        check_port(options.audio_host, options.audio_port, "AudioSocket", "audio_port"),
        check_own_files(calls),
    ]
    if options.ami is None:
        cure = "fill in ami (host, user, secret) to place calls and to have Asterisk checked"
        return [*findings, warning("no AMI is configured: inbound calls only", cure)]
    ami = Ami(options.ami)
    try:
        await ami.connect()
    except (PbxError, ValueError) as problem:
        cure = getattr(problem, "cure", "")
        return [*findings, error(getattr(problem, "message", str(problem)), cure or "correct the ami settings")]
    try:
        return findings + await _ask(ami, options, calls)
    finally:
        await ami.close()


async def _ask(ami: Ami, options: AsteriskOptions, calls: int) -> list[Finding]:
    """Every check that needs an AMI; one that fails does not keep the others back."""
    checks: list[Callable[[], Awaitable[list[Finding]]]] = [
        lambda: _check_rights(ami),
        lambda: _check_modules(ami),
        lambda: _check_dialplan(ami, options),
        lambda: _check_files(ami, calls),
        lambda: _check_clock(ami),
    ]
    findings = [ok(f"AMI login as {ami.options.user} at {ami.options.host}:{ami.options.port}")]
    findings += check_version(ami.version)
    for check in checks:
        try:
            findings += await check()
        except PbxError as problem:
            cure = "does the AMI user have the write class command?"
            findings.append(warning(f"a check could not be made: {problem.message}", problem.cure or cure))
    return findings


def check_port(host: str, port: int, name: str, setting: str) -> Finding:
    """Whether ``port`` can be listened on, or is listened on already (by a running bot, one hopes)."""
    if port == 0:
        return warning(f"{name}: any free port is taken", f"set {setting}: the dialplan must know it")
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as problem:
            return _taken_port(host, port, name, setting, problem)
    return ok(f"{name} port {host}:{port} is free")


def _taken_port(host: str, port: int, name: str, setting: str, problem: OSError) -> Finding:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        reason = problem.strerror or str(problem)
        return error(f"{name} port {host}:{port} cannot be listened on: {reason}", f"change {setting} or its host")
    return ok(f"{name} port {host}:{port} is in use, by agi-bot serve if that is running")


def check_own_files(calls: int) -> Finding:
    """Two sockets a call, and room for the rest."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    need = 2 * calls + 100
    if limit < need:
        return warning(f"this process may open {limit} files; {calls} calls need {need}", f"ulimit -n {2 * need}")
    return ok(f"file descriptors of the bot: {limit}")


def check_version(text: str) -> list[Finding]:
    """What the version of Asterisk means for the bot."""
    version = parse(text)
    if version is None:
        return [warning("Asterisk did not tell its version", "give the AMI user the read class system")]
    if version[0] < 18:
        return [error(f"Asterisk {text} has no AudioSocket", "update to Asterisk 18 or newer; 22 is best")]
    findings = [ok(f"Asterisk {text}")]
    if not has(text, DIGITS):
        findings.append(
            warning(
                f"Asterisk {text} sends no keys over AudioSocket, and AudioSocket() without AGI ends the call",
                "keys come over AMI (read class dtmf); update to 20.14, 21.9 or 22.4 to be rid of both",
            )
        )
    if not has(text, TECH_CAUSE):
        findings.append(
            warning(
                f"Asterisk {text} does not tell the SIP status of failed calls",
                "reports then show the Q.850 cause only; update to 20.17 or 22.7",
            )
        )
    return findings


async def _check_rights(ami: Ami) -> list[Finding]:
    shown = await ami.command(f"manager show user {ami.options.user}")
    findings = check_user(ami.options.user, ami.options.secret, shown)
    for kind, needed in RIGHTS.items():
        granted = _granted(shown, kind)
        for right, consequence in needed.items():
            if granted and not granted & {right, "all"}:
                cure = f"add {right} to {kind.split()[0]}= of [{ami.options.user}] in manager.conf"
                findings.append(error(f"AMI user {ami.options.user} lacks {kind} {right}: {consequence}", cure))
    poor = any(finding.level is Level.ERROR for finding in findings)
    return findings if poor else [*findings, ok(f"AMI user {ami.options.user} has the rights it needs")]


def check_user(user: str, secret: str, shown: list[str]) -> list[Finding]:
    """Who could log in besides the bot; ``shown``: the lines of ``manager show user``."""
    findings = []
    if secret == README_SECRET:
        cure = "give it another in manager.conf (then manager reload) and in agi-bot.yml"
        findings.append(warning(f"AMI user {user} has the secret of the README, {README_SECRET}", cure))
    if _open_to_all(shown):
        cure = f"deny = 0.0.0.0/0.0.0.0 and then permit = 127.0.0.1/255.255.255.255 below [{user}] in manager.conf"
        findings.append(warning(f"AMI user {user} may log in from every host", cure))
    return findings


def _open_to_all(shown: list[str]) -> bool:
    """No rules at all, or none that denies: what no rule names is allowed."""
    if any(re.fullmatch(r"\s*ACL\s*:\s*no\s*", line) for line in shown):
        return True
    rules = [line for line in shown if re.match(r"\s*\d+:\s*(allow|deny)\b", line)]
    return bool(rules) and not any("deny" in rule for rule in rules)


def _granted(shown: list[str], kind: str) -> set[str]:
    for line in shown:
        name, colon, rights = line.partition(":")
        if colon and name.strip() == kind:
            return {right.strip() for right in rights.split(",")}
    return set()


async def _check_modules(ami: Ami) -> list[Finding]:
    findings = []
    for module, cure in MODULES.items():
        loaded = await _running(ami, module)
        findings.append(ok(f"module {module}") if loaded else error(f"module {module} is not loaded", cure))
    codecs = [module for module in CODECS if await _running(ami, module)]
    if not codecs:
        cure = f"module load {CODECS[0]}, or make sure that your trunks use a codec that Asterisk can translate"
        return [*findings, warning("no G.711 codec module is loaded", cure)]
    return [*findings, ok("codecs: " + ", ".join(codecs))]


async def _running(ami: Ami, module: str) -> bool:
    lines = await ami.command(f"module show like {module}")
    return any(line.startswith(module) and re.search(r"(?<!Not )Running", line) for line in lines)


async def _check_dialplan(ami: Ami, options: AsteriskOptions) -> list[Finding]:
    findings = await _check_global(ami, options)
    if options.context:
        include = "#include agi-bot.conf in extensions.conf, then dialplan reload"
        findings.append(await _check_context(ami, options.context, include))
    outbound = options.channel.partition("@")[2].partition("/")[0]
    if outbound:
        route = f"write a context [{outbound}] that dials the numbers given to it"
        findings.append(await _check_context(ami, outbound, route))
    if outbound == OUTBOUND and findings[-1].level is not Level.ERROR:
        routes = await _global(ami, "AGI_BOT_ROUTES") or ROUTES
        route = f"write a context [{routes}] with your routes, or name yours in [globals]: AGI_BOT_ROUTES"
        findings.append(await _check_context(ami, routes, route))
    return findings


async def _check_context(ami: Ami, context: str, cure: str) -> Finding:
    lines = await ami.command(f"dialplan show {context}")
    if any(line.strip().startswith(f"[ Context '{context}'") for line in lines):
        return ok(f"dialplan context {context}")
    return error(f"the dialplan has no context {context}", cure)


async def _check_global(ami: Ami, options: AsteriskOptions) -> list[Finding]:
    """The dialplan and the bot must mean the same port."""
    port = await _global(ami, "AGI_BOT_PORT")
    if port in ("", str(options.agi_port)):
        return []
    what = f"the dialplan sends calls to port {port} (AGI_BOT_PORT), the bot listens on {options.agi_port}"
    return [error(what, "make both the same")]


async def _global(ami: Ami, wanted: str) -> str:
    """A global variable of the dialplan; empty when it is not set."""
    for line in await ami.command("dialplan show globals"):
        name, equals, value = line.strip().partition("=")
        if equals and name == wanted:
            return value.strip()
    return ""


async def _check_files(ami: Ami, calls: int) -> list[Finding]:
    for line in await ami.command("core show settings"):
        if "open file handles" in line:
            found = re.search(r"(\d+)\s*$", line)
            if found is None:
                break
            room = int(found[1]) // FILES_PER_CALL
            text = f"Asterisk may open {found[1]} files, enough for about {room} calls"
            return [ok(text) if room >= calls else warning(text, "set maxfiles in asterisk.conf and restart it")]
    return []


async def _check_clock(ami: Ami) -> list[Finding]:
    answer = (await ami.action("Ping"))[0]
    try:
        skew = abs(time.time() - float(answer.get("timestamp", "")))
    except ValueError:
        return []
    if skew > MAX_SKEW_S:
        cure = "run an NTP client (chrony) on both machines: calling hours and log times depend on it"
        return [warning(f"the clocks of Asterisk and the bot differ by {skew:.0f} s", cure)]
    return [ok("the clocks agree")]
