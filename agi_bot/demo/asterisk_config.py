"""The configuration folder of a private Asterisk, one small function a file.  Pure.

Everything listens on 127.0.0.1 only; every path lies in one folder; nothing of an
installed Asterisk's configuration is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agi_bot.demo.installation import Installation

HOST = "127.0.0.1"
RTP_PORTS = 2000

_UNUSED = """
app_adsiprog app_agent_pool app_alarmreceiver app_amd app_confbridge app_festival app_followme
app_getcpeid app_minivm app_page app_sms app_voicemail_imap app_voicemail_odbc cdr_adaptive_odbc
cdr_csv cdr_custom cdr_manager cdr_odbc cdr_pgsql cdr_radius cdr_sqlite3_custom cdr_tds cel_custom
cel_manager cel_odbc cel_pgsql cel_radius cel_sqlite3_custom cel_tds chan_alsa chan_console
chan_dahdi chan_iax2 chan_mgcp chan_mobile chan_motif chan_ooh323 chan_oss chan_phone chan_skinny
chan_unistim codec_dahdi format_mp3 func_odbc pbx_ael pbx_dundi pbx_lua res_adsi res_calendar
res_calendar_caldav res_calendar_ews res_calendar_exchange res_calendar_icalendar res_clialiases
res_config_ldap res_config_odbc res_config_pgsql res_config_sqlite3 res_corosync res_fax
res_fax_spandsp res_hep res_hep_pjsip res_hep_rtcp res_odbc res_odbc_transaction res_parking
res_phoneprov res_pjsip_notify res_pjsip_phoneprov_provider res_prometheus res_snmp res_statsd
res_stun_monitor res_timing_dahdi res_xmpp
"""
"""Modules that need hardware, a database or a port of their own."""

_EMPTY = (
    "acl.conf",
    "aeap.conf",
    "ari.conf",
    "cdr.conf",
    "cel.conf",
    "chan_websocket.conf",
    "features.conf",
    "geolocation.conf",
    "pjproject.conf",
    "pjsip_wizard.conf",
    "queuerules.conf",
    "res_http_media_cache.conf",
    "stir_shaken.conf",
    "udptl.conf",
    "websocket_client.conf",
)
"""Files that only have to be there."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a private Asterisk lives and listens.  ``sip`` is a UDP port, ``ami`` and ``http`` TCP."""

    folder: Path
    ami: int
    sip: int
    http: int
    rtp: int
    secret: str
    user: str = "agi-bot"
    globals: Mapping[str, str] = field(default_factory=dict)
    dialplans: tuple[Path, ...] = ()
    dialplan: str = ""

    def path(self, name: str) -> Path:
        return self.folder / name


FOLDERS = ("etc", "run", "log", "spool/recording", "db", "keys", "agi", "data")


def files(layout: Layout, installation: Installation) -> dict[str, str]:
    """Name and text of every file in ``etc``."""
    return {
        **dict.fromkeys(_EMPTY, ""),
        "asterisk.conf": asterisk_conf(layout, installation),
        "extensions.conf": extensions_conf(layout),
        "http.conf": http_conf(layout),
        "indications.conf": indications_conf(),
        "logger.conf": logger_conf(),
        "manager.conf": manager_conf(layout),
        "modules.conf": modules_conf(),
        "musiconhold.conf": "[default]\nmode=files\ndirectory=" + str(layout.path("data")) + "\n",
        "pjsip.conf": pjsip_conf(layout),
        "queues.conf": queues_conf(),
        "rtp.conf": rtp_conf(layout),
        "voicemail.conf": voicemail_conf(),
    }


def asterisk_conf(layout: Layout, installation: Installation) -> str:
    """Every directory absolutely; only the data and the modules are the installation's."""
    return f"""\
[directories]
astetcdir => {layout.path("etc")}
astmoddir => {installation.modules}
astvarlibdir => {layout.path("data")}
astdbdir => {layout.path("db")}
astkeydir => {layout.folder}
astdatadir => {installation.data}
astagidir => {layout.path("agi")}
astspooldir => {layout.path("spool")}
astrundir => {layout.path("run")}
astlogdir => {layout.path("log")}
astsbindir => {layout.path("run")}

[options]
verbose = 3
maxfiles = 16384
systemname = agi-bot-demo
hideconnect = yes
"""


def logger_conf() -> str:
    """One file with everything that an admin's ``full`` log has."""
    return "[general]\ndateformat = %F %T.%3q\n\n[logfiles]\nfull => notice,warning,error,verbose,dtmf\n"


def modules_conf() -> str:
    """Load what is there but for what could only be in the way."""
    lines = "\n".join(f"noload = {name}.so" for name in _UNUSED.split())
    return f"[modules]\nautoload = yes\n{lines}\n"


def manager_conf(layout: Layout) -> str:
    """One AMI user with a secret made for this run."""
    return f"""\
[general]
enabled = yes
webenabled = no
bindaddr = {HOST}
port = {layout.ami}

[{layout.user}]
secret = {layout.secret}
deny = 0.0.0.0/0.0.0.0
permit = {HOST}/255.255.255.255
read = system,call,log,verbose,agent,user,config,dtmf,reporting,cdr,dialplan
write = system,call,agent,user,config,command,reporting,originate
writetimeout = 5000
"""


def http_conf(layout: Layout) -> str:
    """The built-in web server, for ARI and chan_websocket."""
    return f"[general]\nenabled = yes\nbindaddr = {HOST}\nbindport = {layout.http}\n"


def rtp_conf(layout: Layout) -> str:
    """The ports of sound."""
    return f"[general]\nrtpstart = {layout.rtp}\nrtpend = {layout.rtp + RTP_PORTS - 1}\nicesupport = no\n"


def pjsip_conf(layout: Layout) -> str:
    """One endpoint for every telephone on this machine; it is dialled as ``PJSIP/self/sip:1000@127.0.0.1:PORT``."""
    return f"""\
[global]
type = global
user_agent = Asterisk

[udp]
type = transport
protocol = udp
bind = {HOST}:{layout.sip}

[self]
type = endpoint
transport = udp
context = phones
disallow = all
allow = ulaw,alaw
dtmf_mode = rfc4733
direct_media = no
media_address = {HOST}
bind_rtp_to_media_address = yes
timers = no

[self]
type = identify
endpoint = self
match = 127.0.0.0/8
"""


def queues_conf() -> str:
    """A queue with nobody in it, for transfers and fallbacks."""
    return "[general]\n\n[nurses]\nstrategy = ringall\njoinempty = yes\n"


def voicemail_conf() -> str:
    """A mailbox for the fallback of the example."""
    return "[general]\nformat = wav\nmaxsecs = 60\n\n[default]\n100 => 1234,Reception\n"


def indications_conf() -> str:
    """Tones of one country, so that Ringing and Playtones work."""
    return """\
[general]
country = us

[us]
description = United States
ringcadence = 2000,4000
dial = 350+440
ring = 440+480/2000,0/4000
busy = 480+620/500,0/500
congestion = 480+620/250,0/250
"""


def extensions_conf(layout: Layout) -> str:
    """The global variables, the dialplans exactly as they are shipped, and what this run adds."""
    names = "\n".join(f"{name} = {value}" for name, value in layout.globals.items())
    includes = "\n".join(f"#include {path.name}" for path in layout.dialplans)
    return f"[general]\nstatic = yes\nwriteprotect = yes\n\n[globals]\n{names}\n\n{includes}\n\n{layout.dialplan}"
