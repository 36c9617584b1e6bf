"""Rendered prompts by the key of their content: a hot layer in memory, files below it.

A file is raw 16-bit little-endian mono PCM at 8 kHz, named by its key.  It is written
beside its place and renamed, so that a reader never sees half of it.  The oldest used
files go when the limit is passed.  A disk that fails costs the prompt its place, not
the call its sound.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import tempfile
from collections import OrderedDict
from pathlib import Path

_log = logging.getLogger(__name__)
_SUFFIX = ".pcm"


def prompt_key(*parts: object) -> str:
    """SHA-256 over everything that shapes the sound: text, voice, model, speed, rate, chain."""
    return hashlib.sha256(json.dumps([str(part) for part in parts]).encode()).hexdigest()


class PromptStore:
    """Prompts up to ``max_mb`` on disk (``directory`` None: none) and ``memory_mb`` in memory."""

    def __init__(self, directory: Path | None, *, max_mb: float = 512, memory_mb: float = 32) -> None:
        self._directory = directory
        self._max_bytes = int(max_mb * 2**20)
        self._hot = _Hot(int(memory_mb * 2**20))
        self._files: OrderedDict[str, int] = OrderedDict()
        self._bytes = 0
        self.failed_writes = 0
        if directory is not None:
            self._index(directory)

    @property
    def disk_bytes(self) -> int:
        """Bytes of the files that are known."""
        return self._bytes

    def __contains__(self, key: str) -> bool:
        return key in self._hot or self._on_disk(key)

    def kept(self, key: str) -> bool:
        """Whether ``key`` outlives this process."""
        return self._on_disk(key)

    def get(self, key: str) -> bytes | None:
        """The sound of ``key``; None when it is not there."""
        found = self._hot.get(key)
        if found is None:
            found = self._read(key)
            if found is not None:
                self._hot.put(key, found)
        elif key in self._files:
            self._touch(key)
        return found

    def put(self, key: str, pcm: bytes, *, keep: bool) -> None:
        """Take ``pcm`` into memory and, with ``keep``, onto the disk."""
        self._hot.put(key, pcm)
        if keep and self._directory is not None and not self._on_disk(key):
            try:
                self._write(self._path(key), pcm)
            except OSError as error:
                self.failed_writes += 1
                _log.warning("a prompt cannot be kept on disk: %s", error)
                return
            self._note(key, len(pcm))
            self._make_room()

    def _index(self, directory: Path) -> None:
        try:
            directory.mkdir(parents=True, exist_ok=True)
            found = [(entry.stat(), entry) for entry in directory.glob(f"??/*{_SUFFIX}")]
        except OSError as error:
            _log.warning("prompts are kept in memory only: %s", error)
            self._directory = None
            return
        for stat, path in sorted(found, key=lambda pair: pair[0].st_mtime):
            self._note(path.stem, stat.st_size)
        self._make_room()

    def _path(self, key: str) -> Path:
        assert self._directory is not None
        return self._directory / key[:2] / f"{key}{_SUFFIX}"

    def _on_disk(self, key: str) -> bool:
        return key in self._files or (self._directory is not None and self._path(key).exists())

    def _read(self, key: str) -> bytes | None:
        if self._directory is None:
            return None
        try:
            pcm = self._path(key).read_bytes()
        except OSError:
            self._forget(key)
            return None
        if not pcm or len(pcm) % 2:
            return None
        self._note(key, len(pcm))
        self._touch(key)
        return pcm

    def _write(self, path: Path, pcm: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(pcm)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def _touch(self, key: str) -> None:
        self._files.move_to_end(key)
        with contextlib.suppress(OSError):
            os.utime(self._path(key))

    def _note(self, key: str, size: int) -> None:
        self._forget(key)
        self._files[key] = size
        self._bytes += size

    def _forget(self, key: str) -> None:
        self._bytes -= self._files.pop(key, 0)

    def _make_room(self) -> None:
        while self._bytes > self._max_bytes and self._files:
            key = next(iter(self._files))
            with contextlib.suppress(OSError):
                self._path(key).unlink()
            self._forget(key)


class _Hot:
    """The prompts used last, in memory."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._sounds: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0

    def __contains__(self, key: str) -> bool:
        return key in self._sounds

    def get(self, key: str) -> bytes | None:
        found = self._sounds.get(key)
        if found is not None:
            self._sounds.move_to_end(key)
        return found

    def put(self, key: str, pcm: bytes) -> None:
        if len(pcm) > self._max_bytes:
            return
        self._bytes += len(pcm) - len(self._sounds.pop(key, b""))
        self._sounds[key] = pcm
        while self._bytes > self._max_bytes:
            _, oldest = self._sounds.popitem(last=False)
            self._bytes -= len(oldest)
