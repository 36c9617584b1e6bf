"""A web server on this machine that can be told to behave badly."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Shelf:
    """What the server has and how it fails.

    ``break_after``: bytes after which the next answers are broken off (one entry an answer).
    ``fail_with``: status codes of the next answers.  ``ranges``: whether it knows ranges.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    break_after: list[int] = field(default_factory=list)
    fail_with: list[int] = field(default_factory=list)
    ranges: bool = True
    tag: str = "strong"
    asked: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""


@contextmanager
def serve(shelf: Shelf) -> Iterator[Shelf]:
    """Run it; ``shelf.url`` is its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(shelf))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    shelf.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield shelf
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(shelf: Shelf) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Quiet."""

        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            shelf.asked.append((self.path, wanted))
            data = shelf.files.get(self.path.lstrip("/"))
            if shelf.fail_with:
                self.send_error(shelf.fail_with.pop(0))
            elif data is None:
                self.send_error(404)
            else:
                self._send(data, wanted)

        def _send(self, data: bytes, wanted: str) -> None:
            tag = f'"{hashlib.sha256(data).hexdigest()}"' if shelf.tag == "strong" else 'W/"weak"'
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and shelf.ranges else 0
            if wanted and self.headers.get("If-Range") != tag:
                start = 0
            if start >= len(data):
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(data) - start))
            self.send_header("ETag", tag)
            self.end_headers()
            limit = shelf.break_after.pop(0) if shelf.break_after else len(data)
            self.wfile.write(data[start : start + limit])

    return Handler
