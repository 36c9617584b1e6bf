"""A real Asterisk of our own: started, asked and stopped; loopback only, one folder, no root."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
import socket
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from agi_bot.demo import asterisk_config
from agi_bot.demo.asterisk_config import FOLDERS, HOST, Layout
from agi_bot.demo.installation import Installation
from agi_bot.demo.ports import free_port, free_range
from agi_bot.errors import PbxDown

_START_S = 30.0
_STOP_S = 5.0


class Asterisk:
    """One Asterisk process with its own configuration folder.

    ``variables`` become global dialplan variables, ``dialplans`` are included as they are,
    ``dialplan`` is added after them; ``extensions`` is an extensions.conf to use instead of
    one made of these, ``dialplans`` then only lie beside it.  ``folder`` (made if it is missing) is kept at the
    end; without it a temporary one is used and removed.
    """

    def __init__(
        self,
        installation: Installation,
        *,
        variables: Mapping[str, str] | None = None,
        dialplans: Sequence[Path] = (),
        dialplan: str = "",
        extensions: Path | None = None,
        folder: Path | None = None,
    ) -> None:
        self.installation = installation
        self._extensions = extensions
        self._temporary = folder is None
        self.layout = Layout(
            folder=folder or Path(tempfile.mkdtemp(prefix="agi-bot-asterisk-")),
            ami=free_port(socket.SOCK_STREAM),
            sip=free_port(socket.SOCK_DGRAM),
            http=free_port(socket.SOCK_STREAM),
            rtp=free_range(),
            secret=secrets.token_urlsafe(18),
            globals=dict(variables or {}),
            dialplans=tuple(dialplans),
            dialplan=dialplan,
        )
        self._process: asyncio.subprocess.Process | None = None

    @property
    def host(self) -> str:
        return HOST

    @property
    def version(self) -> str:
        return self.installation.version

    @property
    def log(self) -> Path:
        """Asterisk's own log."""
        return self.layout.path("log/full")

    @property
    def recordings(self) -> Path:
        """Where MixMonitor writes files without a path."""
        return self.layout.path("spool/monitor")

    @property
    def pid(self) -> int:
        """Process id; 0 while it does not run."""
        return self._process.pid if self._process else 0

    async def start(self) -> None:
        """Write the configuration, start, and wait until it is fully booted.  Raises :class:`PbxDown`."""
        await asyncio.to_thread(self._write)
        command = [*_tied_to_us(), *self._command(), "-f", "-n"]
        with self.layout.path("log/console").open("wb") as sink:
            self._process = await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.DEVNULL, stdout=sink, stderr=sink
            )
        try:
            async with asyncio.timeout(_START_S):
                await self._ready()
        except TimeoutError:
            await self.stop()
            raise PbxDown(f"Asterisk was not ready after {_START_S:.0f} s") from None

    async def stop(self) -> None:
        """Stop it and remove a temporary folder; does nothing the second time."""
        process, self._process = self._process, None
        if process and process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), _STOP_S)
            except TimeoutError:
                process.kill()
                await process.wait()
        if self._temporary:
            await asyncio.to_thread(shutil.rmtree, self.layout.folder, ignore_errors=True)

    async def cli(self, command: str) -> str:
        """What Asterisk's console answers to ``command``.  Raises :class:`PbxDown`."""
        process = await asyncio.create_subprocess_exec(
            *self._command(), "-rx", command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        out, err = await process.communicate()
        if process.returncode:
            word = (err or out).decode(errors="replace").strip()
            raise PbxDown(f"Asterisk's console does not answer: {word}")
        return out.decode(errors="replace")

    async def set_global(self, name: str, value: str) -> None:
        """Set a global dialplan variable of the running Asterisk."""
        await self.cli(f"dialplan set global {name} {value}")

    async def __aenter__(self) -> Asterisk:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _command(self) -> list[str]:
        return [*self.installation.command, "-C", str(self.layout.path("etc/asterisk.conf"))]

    def _write(self) -> None:
        for name in FOLDERS:
            self.layout.path(name).mkdir(parents=True, exist_ok=True)
        etc = self.layout.path("etc")
        for name, text in asterisk_config.files(self.layout, self.installation).items():
            (etc / name).write_text(text, encoding="utf-8")
        for path in self.layout.dialplans:
            shutil.copyfile(path, etc / path.name)
        if self._extensions is not None:
            shutil.copyfile(self._extensions, etc / "extensions.conf")

    async def _ready(self) -> None:
        while True:
            self._must_live()
            with contextlib.suppress(PbxDown):
                if "fully booted" in await self.cli("core waitfullybooted"):
                    return
            await asyncio.sleep(0.05)

    def _must_live(self) -> None:
        if self._process is None or self._process.returncode is not None:
            said = self.layout.path("log/console").read_text(errors="replace").strip()
            raise PbxDown(f"Asterisk ended while it was starting: {said[-500:] or 'without a word'}")


def _tied_to_us() -> list[str]:
    """A prefix that ends the process with ours, however ours ends (setpriv(1), where there is one)."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL"] if setpriv else []
