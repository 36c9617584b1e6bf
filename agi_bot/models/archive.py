"""Unpacks a model's ZIP archive without trusting it."""

from __future__ import annotations

import shutil
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from agi_bot.errors import ModelError

LARGEST = 20 * 1024**3
"""No model unpacks to more bytes than this."""


def unpack(archive: Path, target: Path) -> Path:
    """Unpack ``archive`` into the new folder ``target``; the model's folder in it.

    Raises :class:`~agi_bot.errors.ModelError` for a damaged archive, for names that lead out
    of ``target``, for links, and when there is not enough room.
    """
    try:
        with zipfile.ZipFile(archive) as packed:
            entries = packed.infolist()
            _check(archive, entries, target.parent)
            target.mkdir(parents=True)
            for entry in entries:
                packed.extract(entry, target)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, zlib.error, NotImplementedError) as error:
        raise ModelError(f"{archive} is damaged: {error}", cure="delete it and pull again") from error
    except OSError as error:
        raise ModelError(
            f"{archive} cannot be unpacked: {error.strerror or error}", cure="make room on the disk"
        ) from error
    return _model_folder(target)


def _check(archive: Path, entries: list[zipfile.ZipInfo], place: Path) -> None:
    for entry in entries:
        _check_name(archive, entry)
    total = sum(entry.file_size for entry in entries)
    if total > LARGEST:
        raise ModelError(f"{archive} would unpack to {total / 1e9:.0f} GB: that is no speech model")
    free = shutil.disk_usage(place).free
    if total > free:
        raise ModelError(
            f"{archive} needs {total / 1e6:.0f} MB on the disk, {free / 1e6:.0f} MB are free", cure="make room"
        )


def _check_name(archive: Path, entry: zipfile.ZipInfo) -> None:
    path = PurePosixPath(entry.filename.replace("\\", "/"))
    kind = stat.S_IFMT(entry.external_attr >> 16)
    outside = path.is_absolute() or ".." in path.parts or (path.parts and ":" in path.parts[0])
    if outside or kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise ModelError(
            f"{archive} holds {entry.filename!r}, which a model has no use for", cure="do not use this archive"
        )


def _model_folder(target: Path) -> Path:
    inside = [path for path in target.iterdir() if not path.name.startswith((".", "__MACOSX"))]
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else target
