"""One worker process as the parent sees it: requests go in, sound comes out, until it dies."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import agi_bot
from agi_bot.errors import EngineDown, ModelError, SpeechError
from agi_bot.speech.worker.wire import Decoder, Kind, Message

_READ_BYTES = 65536
_LAST_WORDS_S = 0.3
_LAST_WORDS_BYTES = 2000


class WorkerDied(EngineDown):
    """The process ended, hung or spoke nonsense.

    ``started`` tells whether the request at hand was the one worked on at that moment (and may be
    the cause).
    """

    def __init__(self, message: str, *, started: bool = False) -> None:
        super().__init__(message)
        self.started = started


class WorkerProcess:
    """A running worker; make one with :meth:`start`.  After its death it is not used again."""

    def __init__(self, process: asyncio.subprocess.Process, name: str) -> None:
        self._process = process
        self._name = name
        self._requests: dict[int, asyncio.Queue[Message | None]] = {0: asyncio.Queue()}
        self._number = 0
        self._heard = 0.0
        self._current = -1
        self._stderr = b""
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._note())]
        self.died = asyncio.Event()
        self.info: Mapping[str, Any] = {}
        self.rss_mb = 0
        self.served = 0

    @classmethod
    async def start(cls, command: Sequence[str], *, name: str, timeout_s: float) -> WorkerProcess:
        """Run ``command`` and wait until its engine is ready.

        Raises :class:`ModelError` when the engine refuses its model, :class:`WorkerDied` else.
        """
        creating = asyncio.create_task(_create(command))
        try:
            worker = cls(await asyncio.shield(creating), name)
        except OSError as error:
            raise WorkerDied(f"the {name} worker cannot be started: {error}") from error
        except asyncio.CancelledError:
            with contextlib.suppress(OSError):  # half a process cannot be given up
                await cls(await creating, name).close()
            raise
        try:
            await worker._ready(timeout_s)
        except BaseException:
            await worker.close()
            raise
        return worker

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def busy(self) -> int:
        """How many requests it has."""
        return len(self._requests) - 1

    @property
    def alive(self) -> bool:
        return not self.died.is_set()

    async def run(self, request: Mapping[str, Any], *, timeout_s: float) -> AsyncIterator[bytes]:
        """The sound of ``request``; closing the iterator cancels it in the worker.

        Raises :class:`SpeechError` when the engine refuses it, :class:`WorkerDied` when the
        process dies or says nothing at all for ``timeout_s``.
        """
        number, queue = self._enter(request)
        ended = False
        try:
            while not ended:
                message = await self._next(queue, timeout_s, number)
                if message.kind is Kind.SOUND:
                    yield message.payload
                ended = message.kind is Kind.ENDED
        except SpeechError:
            ended = True
            raise
        finally:
            del self._requests[number]
            if not ended:
                self._send(Message(Kind.CANCEL, number))

    async def close(self) -> None:
        """Kill the process and wait for its end; idempotent."""
        self.kill()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._process.wait()
        self._end()

    def kill(self, why: str = "") -> None:
        """End the process at once; whoever waits for sound gets :class:`WorkerDied`, which tells ``why``."""
        if why:
            self._stderr = why.encode()
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)  # Popen.kill would reap it under asyncio's watcher

    def _enter(self, request: Mapping[str, Any]) -> tuple[int, asyncio.Queue[Message | None]]:
        if not self.alive:
            raise WorkerDied(self._obituary())
        self._number += 1
        queue: asyncio.Queue[Message | None] = asyncio.Queue()
        self._requests[self._number] = queue
        if self.busy == 1:
            self._heard = asyncio.get_running_loop().time()
        self._send(Message(Kind.SPEAK, self._number, json.dumps(dict(request)).encode()))
        return self._number, queue

    async def _next(self, queue: asyncio.Queue[Message | None], timeout_s: float, number: int) -> Message:
        loop = asyncio.get_running_loop()
        while True:
            try:
                async with asyncio.timeout(timeout_s):
                    message = await queue.get()
            except TimeoutError:
                if loop.time() - self._heard < timeout_s:
                    continue  # it works, on something else
                self.kill()
                hung = f"the {self._name} worker hung for {timeout_s:g} s"
                raise WorkerDied(hung, started=number == self._current) from None
            if message is None:
                raise WorkerDied(self._obituary(), started=number == self._current)
            if message.kind is Kind.REFUSED:
                raise SpeechError(message.payload.decode(errors="replace"))
            return message

    async def _ready(self, timeout_s: float) -> None:
        self._heard = asyncio.get_running_loop().time()
        try:
            message = await self._next(self._requests[0], timeout_s, 0)
        except WorkerDied:
            raise
        except SpeechError as error:
            raise ModelError(error.message) from error
        self.info = json.loads(message.payload)

    def _send(self, message: Message) -> None:
        stdin = self._process.stdin
        if stdin is not None and not stdin.is_closing():
            stdin.write(message.encode())

    async def _listen(self) -> None:
        stdout, decoder = self._process.stdout, Decoder()
        assert stdout is not None
        try:
            while data := await stdout.read(_READ_BYTES):
                self._heard = asyncio.get_running_loop().time()
                for message in decoder.feed(data):
                    self._deliver(message)
        except (ValueError, OSError) as error:
            self._stderr = f"it sent what is not ours: {error}".encode()
        finally:
            self.kill()
            await asyncio.wait(self._tasks[1:], timeout=_LAST_WORDS_S)
            self._end()

    def _deliver(self, message: Message) -> None:
        if message.kind is Kind.STARTED:
            self._current = message.request
        if message.kind is Kind.ENDED:
            self.rss_mb = json.loads(message.payload)["rss_mb"]
            self.served += 1
        queue = self._requests.get(message.request)
        if queue is not None:
            queue.put_nowait(message)

    async def _note(self) -> None:
        stderr = self._process.stderr
        assert stderr is not None
        while data := await stderr.read(_READ_BYTES):
            self._stderr = (self._stderr + data)[-_LAST_WORDS_BYTES:]

    def _end(self) -> None:
        self.died.set()
        for queue in self._requests.values():
            queue.put_nowait(None)

    def _obituary(self) -> str:
        words = self._stderr.decode(errors="replace").strip()
        return f"the {self._name} worker died" + (f": {words.splitlines()[-1]}" if words else "")


_PIPE = asyncio.subprocess.PIPE


async def _create(command: Sequence[str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(*command, stdin=_PIPE, stdout=_PIPE, stderr=_PIPE, env=environment())


def environment() -> dict[str, str]:
    """Ours, with this very package importable and one thread for each numeric library."""
    home = str(Path(agi_bot.__file__).parent.parent)
    path = os.environ.get("PYTHONPATH", "")
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    return {**os.environ, **threads, "PYTHONPATH": f"{home}:{path}" if path else home}
