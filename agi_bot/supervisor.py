"""A tiny process that kills a frozen bot.

A process that hangs keeps its sockets: Asterisk sees nothing wrong while the caller's
sound flows, and the caller hears silence.  Somebody outside has to end it.  The bot's own
event loop (not a thread beside it) sends a heartbeat every 0.5 s through a pipe; after 2.5 s
without one the supervisor kills it with everything that it started, which closes its
sockets, so that every dialplan goes on, and starts it anew.

The supervisor itself does nothing else, loads nothing and can therefore hardly fail; when
it is gone, the bot notices at the next beat and stops.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

log = logging.getLogger(__name__)

HEART_VARIABLE = "AGI_BOT_HEART"
"""Environment variable with the number of the pipe that the heartbeat goes into."""

BEAT_S = 0.5


@dataclass(frozen=True, slots=True)
class Watch:
    """Times, s.

    ``silence``: without a heartbeat for so long the bot is killed.  ``startup``: how long it
    may take until the first one.  ``stop``: how long it may take to end after SIGTERM.
    ``pause`` before it is started again, doubled at each failure up to ``longest_pause``,
    forgotten after it ran for ``calm``.
    """

    beat: float = BEAT_S
    silence: float = 2.5
    startup: float = 120.0
    stop: float = 15.0
    pause: float = 0.5
    longest_pause: float = 30.0
    calm: float = 60.0


class Heart:
    """The bot's side: run :meth:`beat` in the event loop that serves the calls, once the bot is ready."""

    def __init__(self, pipe: int, every_s: float = BEAT_S) -> None:
        os.set_blocking(pipe, False)
        os.set_inheritable(pipe, False)
        self._pipe = pipe
        self._every_s = every_s

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Heart | None:
        """The heart that the supervisor wants to hear; ``None`` without a supervisor."""
        pipe = environment.get(HEART_VARIABLE, "")
        return cls(int(pipe)) if pipe.isdigit() else None

    async def beat(self) -> None:
        """Beat until the supervisor is gone; the bot should stop then."""
        while True:
            try:
                os.write(self._pipe, b".")
            except BlockingIOError:
                pass  # the supervisor is held up; it will find enough beats when it wakes
            except OSError:
                log.error("supervisor.gone")
                return
            await asyncio.sleep(self._every_s)


class Supervisor:
    """Runs ``command`` as a child and keeps it alive; :meth:`run` answers the exit status in the end."""

    def __init__(self, command: Sequence[str], watch: Watch | None = None) -> None:
        self._command = tuple(command)
        self._watch = watch or Watch()
        self._stopping = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._last_beat = 0.0
        self._ready = False
        self.restarts = 0

    @property
    def pid(self) -> int:
        """Process id of the child; 0 while there is none."""
        return self._process.pid if self._process else 0

    def stop(self) -> None:
        """Ask the child to end (SIGTERM), and end with it."""
        self._stopping.set()

    async def run(self) -> int:
        """Supervise until :meth:`stop`, or until the child ends by itself.

        A child that ends with status 0, or before it was ever ready, is not started again:
        it was told to stop, or it cannot run like this.
        """
        pause = self._watch.pause
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            status = await self._live()
            if self._stopping.is_set() or status == 0 or (not self._ready and self.restarts == 0):
                return status
            pause = self._watch.pause if loop.time() - began > self._watch.calm else pause
            log.error("bot.restarted", extra={"status": status, "pause_s": pause})
            if await self._stopped_within(pause):
                return status
            pause = min(2 * pause, self._watch.longest_pause)
            self.restarts += 1

    async def _live(self) -> int:
        """One life of the child; answers its exit status (negative: the signal that ended it)."""
        ours, theirs = os.pipe()
        try:
            process = self._process = await self._start(theirs)
        finally:
            os.close(theirs)
        self._ready = False
        self._last_beat = asyncio.get_running_loop().time()
        tasks = [asyncio.create_task(work) for work in (self._listen(ours), self._guard(process), self._end(process))]
        try:
            return await process.wait()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            _kill_group(process.pid)  # whatever the bot had started
            self._process = None

    async def _start(self, pipe: int) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *self._command,
            env={**os.environ, HEART_VARIABLE: str(pipe)},
            pass_fds=(pipe,),
            start_new_session=True,
        )

    async def _listen(self, pipe: int) -> None:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        with os.fdopen(pipe, "rb", buffering=0) as source:
            transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), source)
            try:
                while await reader.read(4096):
                    self._last_beat = loop.time()
                    self._ready = True
            finally:
                transport.close()

    async def _guard(self, process: asyncio.subprocess.Process) -> None:
        loop = asyncio.get_running_loop()
        step = self._watch.beat / 2
        while True:
            before = loop.time()
            await asyncio.sleep(step)
            now = loop.time()
            if now - before > step + self._watch.beat:
                self._last_beat = now  # we were held up ourselves: no reason to blame the bot
            limit = self._watch.silence if self._ready else self._watch.startup
            if now - self._last_beat > limit:
                log.error("bot.frozen", extra={"pid": process.pid, "silent_s": round(now - self._last_beat, 1)})
                _kill_group(process.pid)
                return

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        await self._stopping.wait()
        # Not process.terminate(): it would look for the exit status and take it from process.wait().
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGTERM)
            os.kill(process.pid, signal.SIGCONT)
        await asyncio.sleep(self._watch.stop)
        log.error("bot.would_not_stop", extra={"pid": process.pid, "waited_s": self._watch.stop})
        _kill_group(process.pid)

    async def _stopped_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return False
        return True


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


async def supervise(command: Sequence[str], watch: Watch | None = None) -> int:
    """Run ``command`` under a supervisor that passes SIGTERM and SIGINT on; answers the exit status."""
    supervisor = Supervisor(command, watch)
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, supervisor.stop)
    try:
        return await supervisor.run()
    finally:
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(name)
