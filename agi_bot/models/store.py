"""The folder of the fetched models: pull, list, verify."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agi_bot.errors import ModelError
from agi_bot.models.archive import unpack
from agi_bot.models.catalog import Catalog, CatalogModel
from agi_bot.models.download import Download, Progress
from agi_bot.shipped import shipped
from agi_bot.speech.vosk.folder import inspect_folder
from agi_bot.speech.vosk.trial import try_model

MANIFEST = "agi-bot.json"
"""What a pull leaves in a model's folder: where it came from, and each file's size and sha256."""

SHIPPED_MANIFEST = "model.json"
"""The same for a model that comes with agi-bot: the sha256 of each file."""


@dataclass(frozen=True, slots=True)
class Installed:
    """A model that is on this machine."""

    model: CatalogModel
    path: Path


def nobody(_: int, __: int | None) -> None:
    """A progress that nobody watches."""


class ModelStore:
    """Models under ``folder``; ``mirror`` is a URL or folder with the same archives as the publisher."""

    def __init__(self, folder: Path, catalog: Catalog, *, mirror: str = "") -> None:
        self._folder = folder
        self._catalog = catalog
        self._mirror = mirror

    def installed(self) -> list[Installed]:
        """The catalogue's models that are here."""
        places = ((model, self._path(model)) for model in self._catalog.models)
        return [Installed(model, path) for model, path in places if path is not None and path.is_dir()]

    def path(self, name: str) -> Path:
        """Folder of the installed model ``name``.  Raises :class:`~agi_bot.errors.ModelError`."""
        model = self._catalog.find(name)
        path = self._path(model)
        if path is None or not path.is_dir():
            raise ModelError(f"the model {model.name} is not here", cure=f"agi-bot models pull {model.name}")
        return path

    def pull(self, name: str, progress: Progress = nobody, *, force: bool = False) -> Path:
        """Fetch, check and unpack model ``name``; its folder.  Nothing is fetched twice unless ``force``.

        Raises :class:`~agi_bot.errors.ModelError`; a model that is here stays untouched then.
        """
        model = self._catalog.find(name)
        final = self._path(model)
        if model.shipped or (final is not None and final.is_dir() and not force):
            return self.path(name)
        _make(self._folder)
        with _only_one(self._folder / f".{model.folder}.lock"):
            return self._install(model, self._archive(model, progress))

    def verify(self, name: str) -> list[str]:
        """What is wrong with the installed model ``name``, in plain words; empty: nothing."""
        path = self.path(name)
        problems: list[str] = []
        try:
            problems += _compare(path)
            inspect_folder(path)
            asyncio.run(try_model(path))
        except ModelError as error:
            problems.append(str(error))
        return problems

    def _path(self, model: CatalogModel) -> Path | None:
        if not model.shipped:
            return self._folder / model.folder
        try:
            return shipped("models", model.shipped)
        except Exception:
            return None

    def _archive(self, model: CatalogModel, progress: Progress) -> Path:
        source = self._catalog.source(model, self._mirror)
        if not source.startswith(("http://", "https://")):
            return self._from_folder(model, Path(source.removeprefix("file://")))
        target = self._folder / model.archive
        self._check_room(model)
        if not target.exists():
            Download(source, target).run(progress)
        return self._checked(model, target, ours=True)

    def _from_folder(self, model: CatalogModel, path: Path) -> Path:
        if not path.is_file():
            raise ModelError(f"the mirror folder has no {path}", cure=f"copy {model.archive} there")
        return self._checked(model, path, ours=False)

    def _checked(self, model: CatalogModel, archive: Path, *, ours: bool) -> Path:
        for kind, wanted in (("sha256", model.sha256), ("md5", model.md5)):
            found = _digest(archive, kind) if wanted else ""
            if found != wanted:
                if ours:
                    archive.unlink()
                raise ModelError(
                    f"{archive} has the {kind} {found}, not {wanted}: it is damaged or another model",
                    cure="pull again; if it happens again, use another mirror",
                )
        return archive

    def _check_room(self, model: CatalogModel) -> None:
        need, free = round(model.size * 2.6), shutil.disk_usage(self._folder).free
        if need > free:
            raise ModelError(
                f"the model {model.name} needs about {need / 1e6:.0f} MB to unpack, "
                f"{free / 1e6:.0f} MB are free in {self._folder}",
                cure="make room, or choose another folder: --folder",
            )

    def _install(self, model: CatalogModel, archive: Path) -> Path:
        final = self._folder / model.folder
        work = self._folder / f".{model.folder}.new"
        old = self._folder / f".{model.folder}.old"
        for left in (work, old):
            shutil.rmtree(left, ignore_errors=True)
        try:
            folder = unpack(archive, work)
            inspect_folder(folder)
            _write_manifest(folder, model, archive)
            if final.exists():
                final.rename(old)
            folder.rename(final)
        finally:
            for left in (work, old):
                shutil.rmtree(left, ignore_errors=True)
        if archive.parent == self._folder:
            archive.unlink(missing_ok=True)
        return final


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ModelError(
            f"the folder {folder} cannot be made: {error.strerror}", cure="choose another: --folder"
        ) from error


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ModelError("this model is being pulled already", cure="wait for the other pull") from error
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _digest(path: Path, kind: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, kind).hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != MANIFEST)


def _write_manifest(folder: Path, model: CatalogModel, archive: Path) -> None:
    files = {str(path.relative_to(folder)): [path.stat().st_size, _digest(path, "sha256")] for path in _files(folder)}
    manifest: dict[str, Any] = {
        "name": model.name,
        "language": list(model.language),
        "archive": model.archive,
        "archive_sha256": _digest(archive, "sha256"),
        "files": files,
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _compare(folder: Path) -> list[str]:
    pulled = _read(folder / MANIFEST).get("files", {})
    shipped_files = _read(folder / SHIPPED_MANIFEST).get("sha256", {})
    facts = {name: (None, digest) for name, digest in shipped_files.items()} | dict(pulled)
    return [problem for name, fact in facts.items() if (problem := _wrong(folder / name, *fact))]


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ModelError(f"{path} is not JSON: {error}", cure="pull the model again with --force") from error
    return content if isinstance(content, dict) else {}


def _wrong(path: Path, size: int | None, sha256: str) -> str:
    if not path.is_file():
        return f"{path} is missing"
    if size is not None and path.stat().st_size != size:
        return f"{path} has {path.stat().st_size} bytes, {size} were unpacked"
    return f"{path} is not what it was (sha256 differs)" if _digest(path, "sha256") != sha256 else ""
