"""Fetches one file over HTTP: goes on where it was broken off, tells its progress."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from agi_bot.errors import ModelError

Progress = Callable[[int, int | None], None]
"""Bytes that are there, bytes of the whole (None while unknown)."""

_TIMEOUT = httpx.Timeout(30.0, connect=15.0)
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})


class Download:
    """``url`` into ``target``, by way of ``target`` + ``.part``, which survives a broken transfer.

    ``attempts``: tries without any progress until it gives up.  ``pause_s``: wait between them.
    """

    def __init__(self, url: str, target: Path, *, attempts: int = 4, pause_s: float = 1.0) -> None:
        self._url = url
        self._target = target
        self._part = target.with_name(target.name + ".part")
        self._tag = target.with_name(target.name + ".part.tag")
        self._attempts = attempts
        self._pause_s = pause_s

    def run(self, progress: Progress) -> None:
        """Fetch it.  Raises :class:`~agi_bot.errors.ModelError`, keeping what is already there."""
        left = self._attempts
        with httpx.Client(timeout=_TIMEOUT, follow_redirects=True) as client:
            while True:
                before = self._have()
                problem = self._try(client, progress)
                if not problem:
                    break
                left = self._attempts if self._have() > before else left - 1
                if left <= 0:
                    raise self._failed(problem)
                time.sleep(self._pause_s)
        self._part.replace(self._target)
        self._tag.unlink(missing_ok=True)

    def _try(self, client: httpx.Client, progress: Progress) -> str:
        """One request; empty when the file is complete, else what went wrong and may pass."""
        try:
            with client.stream("GET", self._url, headers=self._headers()) as response:
                return self._take(response, progress)
        except httpx.HTTPError as error:
            return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        except httpx.InvalidURL as error:
            raise ModelError(f"{self._url} is not a URL: {error}") from error

    def _headers(self) -> dict[str, str]:
        have, tag = self._have(), self._known_tag()
        if not have or not tag:
            return {"Accept-Encoding": "identity"}
        return {"Range": f"bytes={have}-", "If-Range": tag, "Accept-Encoding": "identity"}

    def _take(self, response: httpx.Response, progress: Progress) -> str:
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            self._forget()
            return "the server no longer has the part that is missing"
        if response.status_code in _TRANSIENT:
            return f"the server answered {response.status_code} {response.reason_phrase}"
        if response.status_code not in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
            raise ModelError(
                f"{self._url}: the server answered {response.status_code} {response.reason_phrase}",
                cure="check the mirror's address, or pull by way of another mirror: --mirror URL-or-folder",
            )
        return self._write(response, progress)

    def _write(self, response: httpx.Response, progress: Progress) -> str:
        resumed = response.status_code == httpx.codes.PARTIAL_CONTENT
        done = self._have() if resumed else 0
        length = response.headers.get("Content-Length", "")
        total = done + int(length) if length.isdigit() else None
        try:
            self._remember_tag(response)
            with self._part.open("ab" if resumed else "wb") as file:
                # No chunk size: httpx would hold back, and lose, what does not fill a chunk.
                for chunk in response.iter_raw():
                    file.write(chunk)
                    done += len(chunk)
                    progress(done, total)
        except OSError as error:
            raise _no_room(self._part, error) from error
        return "" if total in (None, done) else f"the transfer ended after {done} of {total} bytes"

    def _remember_tag(self, response: httpx.Response) -> None:
        tag = response.headers.get("ETag", "")
        # A weak tag must not be used with ranges: RFC 9110, 13.1.5.
        strong = tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified", "")
        self._tag.write_text(strong, "utf-8")

    def _known_tag(self) -> str:
        return self._tag.read_text("utf-8") if self._tag.exists() else ""

    def _have(self) -> int:
        return self._part.stat().st_size if self._part.exists() else 0

    def _forget(self) -> None:
        self._part.unlink(missing_ok=True)
        self._tag.unlink(missing_ok=True)

    def _failed(self, problem: str) -> ModelError:
        have = self._have()
        kept = f"; {have} bytes are kept, the next pull goes on from there" if have else ""
        return ModelError(
            f"{self._url} could not be fetched: {problem}{kept}",
            cure="without internet access, copy the archive here and name its folder: --mirror FOLDER",
        )


def _no_room(path: Path, error: OSError) -> ModelError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ModelError(f"the disk is full while writing {path}", cure="make room, then pull again: it goes on")
    return ModelError(f"{path} cannot be written: {error.strerror or error}", cure="check the folder's permissions")
