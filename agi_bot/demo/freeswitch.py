"""An installed FreeSWITCH run with a configuration folder of our own, on loopback only.

For the demo and for the tests: nothing of the machine's own FreeSWITCH configuration is read
or written, every port is free when it is taken, and the folder can be thrown away afterwards.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import quoteattr

from agi_bot.demo.ports import free_port, free_range
from agi_bot.errors import PbxDown
from esl import Client, EslError

MODULES = (
    "mod_logfile",
    "mod_event_socket",
    "mod_sofia",
    "mod_loopback",
    "mod_commands",
    "mod_dptools",
    "mod_dialplan_xml",
    "mod_spandsp",
    "mod_opus",
    "mod_sndfile",
    "mod_native_file",
    "mod_tone_stream",
)
"""What a bot needs of FreeSWITCH; it goes on without those that are not installed (Opus, G.722)."""

RTP_PORTS = 2000
CODECS = "PCMU,PCMA,G722,OPUS"


def find_binary() -> Path | None:
    """The FreeSWITCH that ``FREESWITCH`` names, or the one in the PATH; None when there is none."""
    named = os.environ.get("FREESWITCH", "")
    found = named if named and Path(named).is_file() else shutil.which(named or "freeswitch")
    return Path(found) if found else None


@dataclass(frozen=True)
class Ports:
    """Free ports on loopback; RTP takes a range."""

    esl: int
    sip: int
    rtp_first: int
    rtp_last: int


@dataclass
class OwnFreeSwitch:
    """One FreeSWITCH process of our own.

    ``dialplans`` are XML files with ``<context>`` elements; ``$${name}`` in them is taken from
    ``settings``.
    """

    binary: Path
    folder: Path
    dialplans: tuple[Path, ...] = ()
    settings: dict[str, str] = field(default_factory=dict)
    modules: tuple[str, ...] = MODULES
    password: str = field(default_factory=lambda: secrets.token_hex(8))
    ports: Ports = field(default_factory=lambda: free_ports())
    process: subprocess.Popen[bytes] | None = None

    async def start(self, timeout: float = 30.0) -> None:
        """Start it and wait until it answers.  Raises :class:`~agi_bot.errors.PbxDown`."""
        self._spawn()
        try:
            async with asyncio.timeout(timeout):
                await self._answering()
        except TimeoutError:
            await self.stop()
            raise PbxDown(f"{self.binary} did not start in {timeout:g} s; see {self.log_file}") from None

    async def stop(self) -> None:
        """End the process, first kindly, after 5 s by force."""
        process, self.process = self.process, None
        if process is None:
            return
        process.terminate()
        for _ in range(100):
            if process.poll() is not None:
                return
            await asyncio.sleep(0.05)
        process.kill()
        process.wait()

    @property
    def running(self) -> bool:
        """True while the process lives."""
        return self.process is not None and self.process.poll() is None

    @property
    def log_file(self) -> Path:
        """Where FreeSWITCH writes its log."""
        return self.folder / "log" / "freeswitch.log"

    def client(self) -> Client:
        """A client for its event socket, not connected yet."""
        return Client("127.0.0.1", self.ports.esl, self.password)

    async def _answering(self) -> None:
        """Wait until the SIP profile runs: the event socket listens before that."""
        while self.running:
            with contextlib.suppress(EslError):
                async with self.client() as freeswitch:
                    if "RUNNING" in await freeswitch.api("sofia status"):
                        return
            await asyncio.sleep(0.1)
        raise PbxDown(f"{self.binary} ended at once; see {self.log_file}")

    def _command(self) -> list[str]:
        folders = {name: self.folder / name for name in ("conf", "log", "db", "run", "temp", "storage")}
        command = [*_tied_to_us(), str(self.binary), "-nf", "-nc", "-nonat", "-nonatmap"]
        for name, folder in folders.items():
            folder.mkdir(parents=True, exist_ok=True)
            command += [f"-{name}", str(folder)]
        return command

    def _spawn(self) -> None:
        self._write()
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(self._command(), stdin=quiet, stdout=quiet, stderr=quiet)

    def _write(self) -> None:
        conf = self.folder / "conf"
        conf.mkdir(parents=True, exist_ok=True)
        (conf / "freeswitch.xml").write_text(self._document(), encoding="utf-8")

    def _document(self) -> str:
        settings = "\n".join(
            f'  <X-PRE-PROCESS cmd="set" data={quoteattr(f"{name}={value}")}/>' for name, value in self.settings.items()
        )
        includes = "\n".join(f'  <X-PRE-PROCESS cmd="include" data={quoteattr(str(path))}/>' for path in self.dialplans)
        return _DOCUMENT.format(
            settings=settings,
            dialplans=includes,
            modules="\n".join(f'   <load module="{name}"/>' for name in self.modules),
            password=self.password,
            codecs=CODECS,
            **self.ports.__dict__,
        )


def free_ports() -> Ports:
    """Two free ports and a range for RTP."""
    first = free_range()
    return Ports(free_port(socket.SOCK_STREAM), free_port(socket.SOCK_DGRAM), first, first + RTP_PORTS)


def _tied_to_us() -> list[str]:
    """A prefix that ends the process with ours, however ours ends (setpriv(1), where there is one)."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL"] if setpriv else []


_DOCUMENT = """<?xml version="1.0"?>
<document type="freeswitch/xml">
{settings}
 <section name="configuration">
  <configuration name="modules.conf"><modules>
{modules}
  </modules></configuration>
  <configuration name="switch.conf"><settings>
   <param name="max-sessions" value="2000"/>
   <param name="sessions-per-second" value="1000"/>
   <param name="loglevel" value="info"/>
   <param name="rtp-start-port" value="{rtp_first}"/>
   <param name="rtp-end-port" value="{rtp_last}"/>
   <param name="threaded-system-exec" value="true"/>
  </settings></configuration>
  <configuration name="event_socket.conf"><settings>
   <param name="listen-ip" value="127.0.0.1"/>
   <param name="listen-port" value="{esl}"/>
   <param name="password" value="{password}"/>
   <param name="apply-inbound-acl" value="loopback.auto"/>
  </settings></configuration>
  <configuration name="logfile.conf"><settings/><profiles><profile name="default">
   <settings><param name="rollover" value="104857600"/></settings>
   <mappings><map name="all" value="info,notice,warning,err,crit,alert"/></mappings>
  </profile></profiles></configuration>
  <configuration name="opus.conf"><settings/></configuration>
  <configuration name="fifo.conf"><settings/><fifos/></configuration>
  <configuration name="sofia.conf"><profiles><profile name="bot">
   <settings>
    <param name="sip-ip" value="127.0.0.1"/>
    <param name="rtp-ip" value="127.0.0.1"/>
    <param name="sip-port" value="{sip}"/>
    <param name="context" value="public"/>
    <param name="dialplan" value="XML"/>
    <param name="auth-calls" value="false"/>
    <param name="inbound-codec-prefs" value="{codecs}"/>
    <param name="outbound-codec-prefs" value="{codecs}"/>
    <param name="inbound-codec-negotiation" value="generous"/>
    <param name="rtp-timer-name" value="soft"/>
    <param name="manage-presence" value="false"/>
    <param name="disable-register" value="true"/>
   </settings>
  </profile></profiles></configuration>
 </section>
 <section name="dialplan">
{dialplans}
 </section>
 <section name="directory"/>
</document>
"""
