"""Tells the CRM what became of every attempt, and a gateway the text messages: at least once, in order of writing.

A receiver knows a repeated message by its ``Idempotency-Key`` and a real one by its
signature: ``X-Agi-Bot-Signature: t=<seconds>,v1=<hex>``, the HMAC-SHA256 of
``<seconds>.<body>`` under the shared secret.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import random
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

import httpx

from agi_bot.address import BadAddress, Target, resolve
from agi_bot.campaign.store.outbox import Letter, OutboxStore
from agi_bot.errors import AgiBotError

log = logging.getLogger(__name__)

FIRST_WAIT_S = 2.0
LONGEST_WAIT_S = 900.0
LONGEST_ANSWER = 4096
TAKEN = range(200, 300)
_HOLE = re.compile(r"\{([a-z_]+)\}")
NEVER = frozenset({400, 405, 410, 413, 415, 422})
"""Statuses by which a receiver says that this message will never be taken."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where the letters to ``name`` go.  ``secret`` empty: unsigned.

    ``body``: fields to send in place of the letter's own, each a text with the letter's
    ``{fields}`` and ``{key}``, ``as_form`` as an HTML form.  ``accepted``: a regular
    expression that a 2xx answer must contain, for gateways that report failures with 200.
    """

    url: str
    name: str = "crm"
    secret: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = 10.0
    most_tries: int = 20
    allow_private: bool = False
    body: Mapping[str, str] = field(default_factory=dict)
    as_form: bool = False
    accepted: str = ""

    def content(self, letter: Letter) -> tuple[bytes, str]:
        """What is POSTed, and its content type."""
        if not self.body:
            return letter.payload.encode(), "application/json"
        known = {**json.loads(letter.payload), "key": letter.key}
        fields = {name: _HOLE.sub(lambda hole: str(known.get(hole[1], "")), text) for name, text in self.body.items()}
        if self.as_form:
            return urlencode(fields).encode(), "application/x-www-form-urlencoded"
        return json.dumps(fields, ensure_ascii=False).encode(), "application/json"


def signature(secret: str, body: bytes, at: int) -> str:
    """The value of ``X-Agi-Bot-Signature``."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def wait_s(tries: int, luck: float) -> float:
    """Seconds until the next try after ``tries`` failures; ``luck`` in 0..1 spreads them over half of it."""
    whole = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(tries - 1, 20))
    return whole * (0.5 + luck / 2)


class Sender:
    """Sends what the outbox holds; ``clock`` answers seconds since the epoch."""

    def __init__(
        self,
        store: OutboxStore,
        receiver: Receiver,
        clock: Callable[[], float],
        *,
        at_once: int = 8,
        tick_s: float = 1.0,
        luck: Callable[[], float] = random.random,
    ) -> None:
        self.counters: Counter[str] = Counter()
        self._store = store
        self._receiver = receiver
        self._clock = clock
        self._at_once = at_once
        self._tick_s = tick_s
        self._luck = luck
        self._stopping = asyncio.Event()
        self._client = httpx.AsyncClient(follow_redirects=False, timeout=receiver.timeout_s, trust_env=False)

    def stop(self) -> None:
        """Send no further letter."""
        self._stopping.set()

    async def run(self) -> None:
        """Send until :meth:`stop`."""
        try:
            while not self._stopping.is_set():
                if not await self._round():
                    await self._pause()
        finally:
            await self._client.aclose()

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), self._tick_s)
        except TimeoutError:
            return

    async def _round(self) -> int:
        """Whether something went through: while nothing does there is no hurry."""
        try:
            letters = await self._store.due(self._clock(), self._at_once, self._receiver.name)
            return sum(await asyncio.gather(*(self._send(letter) for letter in letters)))
        except AgiBotError as error:
            log.error("outbox.failed", extra={"reason": str(error)})
            return 0

    async def _send(self, letter: Letter) -> bool:
        final = False
        try:
            target = await resolve(self._receiver.url, self._receiver.allow_private)
            status, text = await self._post(target, letter)
            taken = status in TAKEN
            if taken and re.search(self._receiver.accepted, text):
                await self._store.delivered(letter)
                self.counters["delivered"] += 1
                return True
            error, final = f"answered {status}" + (f": {text[:200]}" if taken else ""), status in NEVER
        except (httpx.HTTPError, OSError, BadAddress) as problem:
            error = str(problem) or type(problem).__name__
        await self._again(letter, error, final)
        return False

    async def _post(self, target: Target, letter: Letter) -> tuple[int, str]:
        body, kind = self._receiver.content(letter)
        url = httpx.URL(target.url)
        # Connect to the address that was checked: looked up again, the name could be another one.
        answer = await self._client.post(
            url.copy_with(host=target.ip),
            content=body,
            headers={**self._headers(letter, body), "Content-Type": kind, "Host": url.netloc.decode("ascii")},
            extensions={"sni_hostname": target.host},
        )
        return answer.status_code, answer.text[:LONGEST_ANSWER]

    def _headers(self, letter: Letter, body: bytes) -> dict[str, str]:
        headers = {
            **self._receiver.headers,
            "Idempotency-Key": letter.key,
            "X-Agi-Bot-Event": letter.kind,
        }
        if self._receiver.secret:
            headers["X-Agi-Bot-Signature"] = signature(self._receiver.secret, body, int(self._clock()))
        return headers

    async def _again(self, letter: Letter, error: str, final: bool) -> None:
        tries = letter.tries + 1
        dead = final or tries >= self._receiver.most_tries
        next_at = None if dead else self._clock() + wait_s(tries, self._luck())
        self.counters["dead" if dead else "failed"] += 1
        await self._store.failed(letter, error[:300], next_at)
        told = {"outbox_id": letter.outbox_id, "tries": tries, "reason": error[:300]}
        log.log(logging.ERROR if dead else logging.WARNING, "outbox.dead" if dead else "outbox.not_taken", extra=told)
