"""Rasa's own server, measured beside the embedded interpreter on the same data.

The environment is looked for in ``AGI_BOT_RASA_FOLDER`` (default ``.cache/rasa``), as the tests
with the marker ``rasa`` do.  A model is trained with the shipped light pipeline, a server
is started for it, and everything is asked over HTTP through our own client.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import numpy as np

from agi_bot.contracts import Context
from agi_bot.errors import InterpreterDown
from agi_bot.nlu import NluData
from agi_bot.nlu.rasa import RasaInterpreter
from agi_bot.nlu.rasa_client import RasaSettings
from agi_bot.nlu.rasa_env import RasaHome, environment
from agi_bot.speech.worker.memory import rss_mb
from tests.bench.results import Figure

PIPELINE = "light"
READY_S = 120.0
AT_ONCE = 50
_NO_BREAKER = 10**9


def rasa_home() -> RasaHome | None:
    """The installed Rasa, if there is one."""
    home = RasaHome(Path(os.environ.get("AGI_BOT_RASA_FOLDER", ".cache/rasa")).resolve())
    return home if home.installed() else None


class Rasa:
    """A server that answers; ``figures`` tell what it cost until then."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, language: str) -> None:
        self._process = process
        self._context = Context(language, datetime.now().astimezone())
        settings = RasaSettings(f"http://127.0.0.1:{port}", "bench", timeout_s=30, failures=_NO_BREAKER)
        self._interpreter = RasaInterpreter(settings, NluData(), language)
        self._runner = asyncio.Runner()
        self._took_ms: list[float] = []
        self.figures: list[Figure] = []

    def guess(self, texts: Sequence[str]) -> list[tuple[str, float]]:
        """Best intents and confidences, one request after another."""
        return self._runner.run(self._guessed(texts))

    def cost(self, language: str, texts: Sequence[str]) -> list[Figure]:
        """Latency of all that was asked so far, requests a second with 50 at once, memory."""
        a_second = self._runner.run(self._at_once(texts))
        return [
            *self.figures,
            Figure(f"{language} Rasa light: parse p50", float(np.percentile(self._took_ms, 50)), "ms"),
            Figure(f"{language} Rasa light: parse p95", float(np.percentile(self._took_ms, 95)), "ms"),
            Figure(f"{language} Rasa light: parses a second, {AT_ONCE} at once", a_second, "1/s"),
            Figure(f"{language} Rasa light: server's memory", rss_mb(self._process.pid), "MB"),
        ]

    def wait(self) -> None:
        """Until it has answered once.  Raises :class:`InterpreterDown`."""
        self._runner.run(self._ready())

    def close(self) -> None:
        self._runner.run(self._interpreter.close())
        self._runner.close()

    async def _ready(self) -> None:
        end = time.monotonic() + READY_S
        while True:
            try:
                await self._interpreter.client.status()
                break
            except InterpreterDown:
                if time.monotonic() > end or self._process.poll() is not None:
                    raise
                await asyncio.sleep(0.3)
        await self._interpreter.warm_up()

    async def _guessed(self, texts: Sequence[str]) -> list[tuple[str, float]]:
        found = []
        for text in texts:
            start = time.perf_counter()
            intent = await self._interpreter.interpret(text, self._context)
            self._took_ms.append((time.perf_counter() - start) * 1000)
            found.append(intent.ranking[0] if intent.ranking else (intent.name, intent.confidence))
        return found

    async def _at_once(self, texts: Sequence[str]) -> float:
        gate, start = asyncio.Semaphore(AT_ONCE), time.perf_counter()

        async def one(text: str) -> None:
            async with gate:
                await self._interpreter.interpret(text, self._context)

        await asyncio.gather(*(one(text) for text in texts))
        return len(texts) / (time.perf_counter() - start)


@contextmanager
def rasa_server(home: RasaHome, data: NluData, language: str) -> Iterator[Rasa]:
    """Train on ``data``, start a server for the model, end it with the block."""
    began = time.perf_counter()
    model = home.train(data, language, PIPELINE)
    trained_s, port = time.perf_counter() - began, _free_port()
    command = home.server_command(model, port, "bench")
    began = time.perf_counter()
    with subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        rasa = Rasa(process, port, language)
        try:
            rasa.wait()
            rasa.figures = [
                Figure(f"{language} Rasa light: training", trained_s, "s"),
                Figure(f"{language} Rasa light: ready", time.perf_counter() - began, "s"),
                Figure(f"{language} Rasa light: model on disk", model.stat().st_size / 1e6, "MB"),
            ]
            yield rasa
        finally:
            rasa.close()
            process.terminate()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
