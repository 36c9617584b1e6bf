"""A real Rasa: its environment, a model trained from our own data, a server that can be killed.

The environment is looked for in ``AGI_BOT_RASA_FOLDER`` (default ``.cache/rasa``).  With
``AGI_BOT_RASA_INSTALL=1`` it is made there when it is missing (2.7 GB, some minutes).
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agi_bot.errors import InterpreterDown, NluError
from agi_bot.nlu import NluData
from agi_bot.nlu.data import data_files
from agi_bot.nlu.rasa_client import RasaClient, RasaSettings
from agi_bot.nlu.rasa_env import RasaHome, environment
from agi_bot.shipped import shipped

LANGUAGE = "zh-CN"
TOKEN = "s3cret"
READY_S = 120.0


@pytest.fixture(scope="session")
def rasa_home() -> RasaHome:
    """An installed Rasa; the test is skipped where there is none."""
    home = RasaHome(Path(os.environ.get("AGI_BOT_RASA_FOLDER", ".cache/rasa")).resolve())
    if home.installed():
        return home
    if os.environ.get("AGI_BOT_RASA_INSTALL") != "1":
        pytest.skip(f"no Rasa in {home.folder}; AGI_BOT_RASA_INSTALL=1 installs it where a Python 3.8-3.10 is found")
    try:
        home.setup()
    except NluError as error:
        pytest.skip(str(error))
    return home


@pytest.fixture(scope="session")
def rasa_data() -> NluData:
    """The shared data, as every flow uses them."""
    return NluData.load(data_files(shipped("flows", "shared"), LANGUAGE))


@pytest.fixture(scope="session")
def rasa_model(rasa_home: RasaHome, rasa_data: NluData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model trained now from the shared data with the shipped light pipeline."""
    model = rasa_home.train(rasa_data, LANGUAGE, "light")
    kept = tmp_path_factory.mktemp("rasa") / model.name
    kept.write_bytes(model.read_bytes())
    return kept


@dataclass
class Server:
    """Rasa's server, as the admin starts it."""

    home: RasaHome
    model: Path
    log: Path
    port: int = 0
    jwt_secret: str = ""
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def settings(self) -> RasaSettings:
        url, token = f"http://127.0.0.1:{self.port}", "" if self.jwt_secret else TOKEN
        return RasaSettings(url, token, self.jwt_secret, timeout_s=20, rest_s=0.2)

    def start(self) -> None:
        """Start, wait until the model is loaded, and let it parse once."""
        self.port = self.port or _free_port()
        known = {"jwt_secret": self.jwt_secret} if self.jwt_secret else {"token": TOKEN}
        command = self.home.server_command(self.model, self.port, **known)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, env=environment(), stdout=log, stderr=log)
        asyncio.run(self._ready())

    def kill(self) -> None:
        """Kill -9."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    async def _ready(self) -> None:
        end = time.monotonic() + READY_S
        async with RasaClient(self.settings) as client:
            while time.monotonic() < end:
                with suppress(InterpreterDown):
                    if (await client.status()).get("model_file"):
                        await client.parse("好")
                        return
                await asyncio.sleep(0.3)
        raise AssertionError(f"the server was not ready within {READY_S:g} s: {self.log.read_text()[-2000:]}")


@pytest.fixture(scope="session")
def rasa_server(rasa_home: RasaHome, rasa_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server."""
    server = Server(rasa_home, rasa_model, tmp_path_factory.mktemp("rasa") / "server.log")
    server.start()
    yield server
    server.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
