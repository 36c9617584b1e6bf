"""Rasa in an environment of its own: Rasa 3.6 needs Python 3.8 to 3.10, we run on newer ones.

Its folder holds ``env`` (the virtual environment, 2.7 GB), ``models`` and nothing else.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from agi_bot.errors import NluError
from agi_bot.nlu.data import NluData
from agi_bot.nlu.rasa_data import training_file

VERSION = "3.6.21"
PIPELINES = ("light", "bert")
PINNED = (3, 10)
"""The Python that constraints.txt is for; older ones get what pip finds."""

_FITTING = (PINNED, (3, 9), (3, 8))
_QUIET = {
    "RASA_TELEMETRY_ENABLED": "false",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
    "PYTHONWARNINGS": "ignore",
}
NO_PYTHON = (
    "Rasa 3.6 needs Python 3.8, 3.9 or 3.10, and none was found",
    "give one with --python PATH (pyenv install 3.10 builds one), or run the container image "
    f"rasa/rasa:{VERSION}-full and set understanding.rasa_url; until then engine: embedded does the work",
)


def fitting_python(given: Path | None = None) -> Path:
    """The interpreter to use: ``given``, or one on the PATH or below ``~/.pyenv``.

    Raises :class:`~agi_bot.errors.NluError` where there is none, or ``given`` does not fit.
    """
    if given is not None:
        version = _version(given)
        if version not in _FITTING:
            said = "cannot be run" if version is None else f"is Python {version[0]}.{version[1]}"
            raise NluError(f"{given} {said}, Rasa 3.6 needs Python 3.8, 3.9 or 3.10", cure="give another --python")
        return given
    for candidate in _candidates():
        if _version(candidate) in _FITTING:
            return candidate
    raise NluError(NO_PYTHON[0], cure=NO_PYTHON[1])


def _candidates() -> Iterator[Path]:
    for major, minor in _FITTING:
        if found := shutil.which(f"python{major}.{minor}"):
            yield Path(found)
        yield from sorted(Path.home().glob(f".pyenv/versions/{major}.{minor}.*/bin/python"), reverse=True)


def _version(python: Path) -> tuple[int, int] | None:
    asked = [str(python), "-c", "import sys, venv, ensurepip; print(*sys.version_info[:2])"]
    try:
        answer = subprocess.run(asked, capture_output=True, text=True, timeout=20, check=False)
        major, minor = answer.stdout.split()
        return int(major), int(minor)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None


@dataclass(frozen=True, slots=True)
class RasaHome:
    """The folder in which Rasa lives."""

    folder: Path

    @property
    def program(self) -> Path:
        """Rasa's own command."""
        return self.folder / "env" / "bin" / "rasa"

    @property
    def models(self) -> Path:
        """Folder of trained models."""
        return self.folder / "models"

    def installed(self) -> bool:
        """Whether :meth:`setup` has been done."""
        return self.program.is_file()

    def setup(self, python: Path | None = None, *, bert: bool = False) -> None:
        """Make the environment and install Rasa; takes some minutes.  Raises :class:`~agi_bot.errors.NluError`."""
        interpreter = fitting_python(python)
        self.folder.mkdir(parents=True, exist_ok=True)
        _run([str(interpreter), "-m", "venv", str(self.folder / "env")], "the environment could not be made")
        with resources.as_file(_files() / "constraints.txt") as constraints:
            pip = [str(self.folder / "env" / "bin" / "python"), "-m", "pip", "install", "--progress-bar", "on"]
            extras = "jieba,transformers" if bert else "jieba"
            pinned = ["-c", str(constraints)] if _version(interpreter) == PINNED else []
            _run([*pip, f"rasa[{extras}]=={VERSION}", *pinned], "Rasa could not be installed")
        self._checked()

    def train(self, data: NluData, language: str, pipeline: str = "light", weights: str = "") -> Path:
        """Train a model from ``data``; the path of the model file.  ``weights``: see :func:`config_of`.

        Raises :class:`~agi_bot.errors.NluError`.
        """
        self._checked()
        name = f"agi-bot-{pipeline}-{language}"
        with tempfile.TemporaryDirectory(prefix="agi-bot-rasa-") as work:
            folder = Path(work)
            (folder / "nlu.yml").write_text(training_file(data), encoding="utf-8")
            (folder / "config.yml").write_text(config_of(pipeline, language, weights), encoding="utf-8")
            command = [str(self.program), "train", "nlu", "--nlu", "nlu.yml", "--config", "config.yml",
                       "--out", str(self.models.resolve()), "--fixed-model-name", name]  # fmt: skip
            _run(command, "Rasa could not train", cwd=folder)
        model = self.models / f"{name}.tar.gz"
        if not model.is_file():
            raise NluError(f"Rasa trained, but wrote no {model}", cure="see what it printed above")
        return model

    def newest_model(self) -> Path:
        """The model trained last.  Raises :class:`~agi_bot.errors.NluError` where there is none."""
        trained = sorted(self.models.glob("*.tar.gz"), key=lambda path: path.stat().st_mtime)
        if not trained:
            raise NluError(f"there is no model in {self.models}", cure="agi-bot rasa train")
        return trained[-1]

    def server_command(
        self, model: Path, port: int = 5005, token: str = "", host: str = "127.0.0.1", *, jwt_secret: str = ""
    ) -> list[str]:
        """The command of the server for ``model``; ready after 10 to 35 s."""
        self._checked()
        command = [str(self.program), "run", "--enable-api", "-i", host, "-p", str(port), "-m", str(model.resolve())]
        command += ["--auth-token", token] if token else []
        return command + (["--jwt-secret", jwt_secret, "--jwt-method", "HS256"] if jwt_secret else [])

    def _checked(self) -> None:
        if not self.installed():
            raise NluError(f"Rasa is not installed in {self.folder}", cure="agi-bot rasa setup")


def environment() -> Mapping[str, str]:
    """Environment variables for Rasa's processes: no telemetry, no chatter."""
    return {**os.environ, **_QUIET}


def config_of(pipeline: str, language: str, weights: str = "") -> str:
    """The text of the shipped pipeline, with the BERT ``weights`` (a folder, or a name; empty: the pipeline's own).

    Raises :class:`~agi_bot.errors.NluError` for an unknown pipeline and a folder without weights.
    """
    if pipeline not in PIPELINES:
        raise NluError(f"there is no pipeline {pipeline!r}", cure=f"use one of {', '.join(PIPELINES)}")
    short = "zh" if language.lower().startswith("zh") else "en"
    text = (_files() / f"{pipeline}.{short}.yml").read_text(encoding="utf-8")
    if not weights:
        return text
    if "model_weights:" not in text:
        raise NluError(f"the pipeline {pipeline} has no weights", cure="--weights goes with --pipeline bert")
    return re.sub(r"(?<=model_weights: ).*", lambda match: json.dumps(_weights(weights)), text)


def _weights(given: str) -> str:
    """``given``, a folder as an absolute path that was looked at."""
    folder = Path(given)
    if not folder.is_dir():
        if given.startswith((".", "/", "~")) or given.count("/") > 1:
            raise NluError(f"there is no folder {given}", cure="it must hold config.json, vocab.txt and tf_model.h5")
        return given
    missing = [name for name in ("config.json", "vocab.txt", "tf_model.h5") if not (folder / name).is_file()]
    if missing:
        raise NluError(f"{folder} holds no {' and no '.join(missing)}", cure="give the folder of a BERT for TensorFlow")
    return str(folder.resolve())


def unit_file(home: RasaHome, model: Path, port: int) -> str:
    """A systemd unit that keeps the server running; the token stands in ``/etc/agi-bot/rasa.env``."""
    template = (_files() / "agi-bot-rasa.service").read_text(encoding="utf-8")
    command = " ".join(home.server_command(model, port))
    return template.replace("@COMMAND@", command).replace("@FOLDER@", str(home.folder.resolve()))


def _files() -> resources.abc.Traversable:
    return resources.files("agi_bot.nlu") / "rasa_files"


def _run(command: Sequence[str], failed: str, cwd: Path | None = None) -> None:
    try:
        done = subprocess.run(command, env=environment(), cwd=cwd, check=False)
    except OSError as error:
        raise NluError(f"{failed}: {error.strerror}", cure=f"see whether {command[0]} can be run") from None
    if done.returncode:
        raise NluError(f"{failed} (exit code {done.returncode})", cure="the reason stands in the lines above")
