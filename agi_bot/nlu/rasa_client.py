"""HTTP to Rasa's server: bounded in time and size, with its two kinds of authentication.

Rasa takes a token only in the query (``?token=``), where access logs show it; with JWT only
``role: admin`` may parse (Rasa 3.6, ``rasa.server``).  Blank text must not be sent: the
server answers 500.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType

import httpx

from agi_bot.errors import InterpreterDown

LARGEST_ANSWER = 1_000_000
"""Bytes; a real answer has about 3,000."""

LOAD_TIMEOUT_S = 120.0
"""Loading a model takes 15 to 35 s, and every parse waits meanwhile."""


@dataclass(frozen=True, slots=True)
class RasaSettings:
    """Where the server is and how long to wait for it.

    ``token`` is its ``--auth-token``, ``jwt_secret`` its ``--jwt-secret`` (HS256).
    """

    url: str = "http://127.0.0.1:5005"
    token: str = ""
    jwt_secret: str = ""
    timeout_s: float = 0.8
    connections: int = 20
    failures: int = 3
    rest_s: float = 5.0


class RasaClient:
    """Requests to one server over kept connections.  Every failure is an :class:`InterpreterDown`."""

    def __init__(self, settings: RasaSettings) -> None:
        self.settings = settings
        limits = httpx.Limits(max_connections=settings.connections, max_keepalive_connections=settings.connections)
        headers = {"Authorization": f"Bearer {admin_jwt(settings.jwt_secret)}"} if settings.jwt_secret else {}
        self._http = httpx.AsyncClient(
            base_url=settings.url, limits=limits, headers=headers, trust_env=False, timeout=settings.timeout_s
        )
        self._query = {"token": settings.token} if settings.token else {}

    async def __aenter__(self) -> RasaClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def parse(self, text: str, timeout_s: float | None = None) -> object:
        """The JSON of ``POST /model/parse``; ``text`` must not be blank."""
        return await self._json("POST", "/model/parse", {"text": text}, timeout_s)

    async def status(self) -> Mapping[str, object]:
        """``GET /status``: model file and fingerprint; needs the token.  Raises :class:`InterpreterDown`."""
        answer = await self._json("GET", "/status")
        if not isinstance(answer, Mapping):
            raise InterpreterDown(f"{self.settings.url} is not a Rasa server")
        return answer

    async def version(self) -> str:
        """Version of the server; needs no token.  Raises :class:`InterpreterDown`."""
        answer = await self._json("GET", "/version")
        version = answer.get("version") if isinstance(answer, Mapping) else None
        if not isinstance(version, str):
            raise InterpreterDown(f"{self.settings.url} is not a Rasa server")
        return version

    async def load(self, model: str) -> None:
        """Load the model file ``model`` (a path on the server); parses wait until it is loaded."""
        await self._bytes("PUT", "/model", {"model_file": model}, LOAD_TIMEOUT_S)

    async def _json(self, method: str, path: str, body: object = None, timeout_s: float | None = None) -> object:
        raw = await self._bytes(method, path, body, timeout_s or self.settings.timeout_s)
        try:
            return json.loads(raw)
        except ValueError:
            start = raw[:40].decode("utf-8", "replace").strip()
            raise InterpreterDown(f"Rasa answered something that is not JSON: {start!r}") from None

    async def _bytes(self, method: str, path: str, body: object, timeout_s: float) -> bytes:
        try:
            async with asyncio.timeout(timeout_s):
                return await self._read(method, path, body, timeout_s)
        except TimeoutError:
            raise InterpreterDown(f"Rasa did not answer within {timeout_s:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            reason = str(error) or type(error).__name__
            raise InterpreterDown(f"Rasa at {self.settings.url} cannot be reached: {reason}") from None

    async def _read(self, method: str, path: str, body: object, timeout_s: float) -> bytes:
        request = self._http.build_request(method, path, json=body, params=self._query, timeout=timeout_s)
        response = await self._http.send(request, stream=True)
        try:
            raw = b""
            async for chunk in response.aiter_bytes():
                raw += chunk
                if len(raw) > LARGEST_ANSWER:
                    raise InterpreterDown(f"Rasa's answer is larger than {LARGEST_ANSWER:,} bytes")
        finally:
            await response.aclose()
        if not response.is_success:
            raise _refused(response.status_code, raw)
        return raw


def admin_jwt(secret: str) -> str:
    """A JSON web token (RFC 7519, HS256) of the user that Rasa lets parse."""
    head = _part({"alg": "HS256", "typ": "JWT"})
    claims = _part({"user": {"username": "agi-bot", "role": "admin"}})
    signature = hmac.new(secret.encode(), f"{head}.{claims}".encode(), hashlib.sha256).digest()
    return f"{head}.{claims}.{_base64(signature)}"


def _part(content: object) -> str:
    return _base64(json.dumps(content, separators=(",", ":")).encode())


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _refused(status: int, raw: bytes) -> InterpreterDown:
    if status in (401, 403):
        return InterpreterDown("Rasa refused the token", cure="compare it with --auth-token of the server")
    if status == 409:
        return InterpreterDown("Rasa has no model loaded", cure="train one: agi-bot rasa train")
    return InterpreterDown(f"Rasa answered status {status}: {_reason(raw)}")


def _reason(raw: bytes) -> str:
    try:
        return str(json.loads(raw)["message"])[:200]
    except (ValueError, KeyError, TypeError):
        return raw[:80].decode("utf-8", "replace").strip() or "nothing"
