"""Tells the CRM what became of every attempt, and a gateway the text messages: at least once, in order of writing.

Some letters are under way at once; one about a task waits for the older ones about it.  A
receiver that does not answer, or answers 5xx or 429, is away: it is left alone for a while
that grows, tried with its oldest letters, and then gets the rest in order.  A letter that it
answers with anything else but 2xx is that letter's own matter: it is sent again later, and
those about other tasks go on.

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
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import urlencode

import httpx

from agi_bot.address import BadAddress, Target, resolve
from agi_bot.campaign.store.outbox import LONGEST_WAIT_S, Letter, OutboxStore
from agi_bot.errors import AgiBotError

log = logging.getLogger(__name__)

FIRST_WAIT_S = 2.0
LONGEST_ANSWER = 4096
TAKEN = range(200, 300)
_HOLE = re.compile(r"\{([a-z_]+)\}")
NEVER = frozenset({400, 405, 410, 413, 415, 422})
"""Statuses by which a receiver says that this message will never be taken."""

BUSY = frozenset({408, 425, 429, *range(500, 600)})
"""Statuses that may as well be the receiver's trouble as the letter's."""

PROBES = 2
"""So many letters ask whether a receiver is back: two, as one alone may be what it cannot digest."""


class Fate(Enum):
    """What became of a sending; ``NEVER``: it will not be taken later either; ``AWAY``: only trouble was there.

    ``UNSENT``: our own settings forbid the address; that is no try, and lasts until they are mended.
    """

    TAKEN = "taken"
    REFUSED = "refused"
    NEVER = "never"
    AWAY = "away"
    UNSENT = "unsent"


@dataclass(frozen=True, slots=True)
class _Sent:
    letter: Letter
    fate: Fate
    error: str = ""


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


async def _beginning(answer: httpx.Response) -> str:
    """At most :data:`LONGEST_ANSWER` bytes of what was answered; nobody waits for the rest."""
    read = b""
    async for part in answer.aiter_bytes():
        read += part
        if len(read) >= LONGEST_ANSWER:
            break
    return read[:LONGEST_ANSWER].decode(answer.encoding or "utf-8", "replace")


def wait_s(tries: int, luck: float) -> float:
    """Seconds until the next try after ``tries`` failures; ``luck`` in 0..1 spreads them over half of it."""
    whole = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(tries - 1, 20))
    return whole * (0.5 + luck / 2)


class Sender:
    """Sends what the outbox holds.

    ``clock`` answers seconds since the epoch; ``steady`` seconds of a clock that nobody sets.
    """

    def __init__(
        self,
        store: OutboxStore,
        receiver: Receiver,
        clock: Callable[[], float],
        *,
        at_once: int = 8,
        tick_s: float = 1.0,
        luck: Callable[[], float] = random.random,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self.counters: Counter[str] = Counter()
        self._store = store
        self._receiver = receiver
        self._clock = clock
        self._at_once = at_once
        self._tick_s = tick_s
        self._luck = luck
        self._steady = steady
        self._away = 0
        """Rounds in a row in which the receiver was away."""
        self._rests_until = 0.0
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
        if self._away and self._steady() < self._rests_until:
            return 0
        try:
            most = PROBES if self._away else self._at_once
            letters = await self._store.due(self._clock(), most, self._receiver.name)
            sent = await self._send_all(letters)
            back_at = self._rest(sent)
            await asyncio.gather(*(self._again(one, back_at) for one in sent if one.fate is not Fate.TAKEN))
        except AgiBotError as error:
            log.error("outbox.failed", extra={"reason": str(error)})
            return 0
        return sum(one.fate is Fate.TAKEN for one in sent)

    def _rest(self, sent: list[_Sent]) -> float | None:
        """Until when a receiver that is away is left alone, by ``clock``."""
        told: dict[str, object] = {"receiver": self._receiver.name}
        if sent and all(one.fate in (Fate.AWAY, Fate.UNSENT) for one in sent):
            self._away += 1
            rests = wait_s(self._away, self._luck())
            self._rests_until = self._steady() + rests
            told |= {"reason": sent[0].error[:300], "again_s": round(rests, 1)}
            log.warning("outbox.receiver_away", extra=told)
            # A little sooner than its rest ends: then these letters are the oldest that are due.
            return self._clock() + 0.9 * rests
        if sent and self._away:
            self._away = 0
            log.info("outbox.receiver_back", extra=told)
        return None

    async def _send_all(self, letters: list[Letter]) -> list[_Sent]:
        """Send ``letters`` at once, but those about one task one after another, up to the first that is not taken."""
        by_task: dict[str, list[Letter]] = {}
        for letter in letters:
            by_task.setdefault(letter.task_id or letter.key, []).append(letter)
        return [one for sent in await asyncio.gather(*map(self._in_turn, by_task.values())) for one in sent]

    async def _in_turn(self, letters: list[Letter]) -> list[_Sent]:
        sent: list[_Sent] = []
        for letter in letters:
            sent.append(await self._send(letter))
            if sent[-1].fate is not Fate.TAKEN:
                break
        return sent

    async def _send(self, letter: Letter) -> _Sent:
        try:
            target = await resolve(self._receiver.url, self._receiver.allow_private)
            # httpx limits single reads only: a receiver that drips would hold up all the others' letters.
            async with asyncio.timeout(self._receiver.timeout_s):
                status, text = await self._post(target, letter)
        except BadAddress as problem:
            return _Sent(letter, Fate.UNSENT, str(problem))
        except (httpx.HTTPError, OSError) as problem:
            return _Sent(letter, Fate.AWAY, str(problem) or type(problem).__name__)
        if status not in TAKEN:
            fate = Fate.NEVER if status in NEVER else Fate.AWAY if status in BUSY else Fate.REFUSED
            return _Sent(letter, fate, f"answered {status}")
        if not re.search(self._receiver.accepted, text):
            return _Sent(letter, Fate.REFUSED, f"answered {status}: {text[:200]}")
        await self._store.delivered(letter)
        self.counters["delivered"] += 1
        return _Sent(letter, Fate.TAKEN)

    async def _post(self, target: Target, letter: Letter) -> tuple[int, str]:
        body, kind = self._receiver.content(letter)
        url = httpx.URL(target.url)
        # Connect to the address that was checked: looked up again, the name could be another one.
        request = self._client.stream(
            "POST",
            url.copy_with(host=target.ip),
            content=body,
            headers={**self._headers(letter, body), "Content-Type": kind, "Host": url.netloc.decode("ascii")},
            extensions={"sni_hostname": target.host},
        )
        async with request as answer:
            return answer.status_code, await _beginning(answer)

    def _headers(self, letter: Letter, body: bytes) -> dict[str, str]:
        headers = {
            **self._receiver.headers,
            "Idempotency-Key": letter.key,
            "X-Agi-Bot-Event": letter.kind,
        }
        if self._receiver.secret:
            headers["X-Agi-Bot-Signature"] = signature(self._receiver.secret, body, int(self._clock()))
        return headers

    async def _again(self, sent: _Sent, back_at: float | None) -> None:
        """Note a letter that was not taken; ``back_at``: when its receiver, who is away, is asked again."""
        tries = sent.letter.tries + (sent.fate is not Fate.UNSENT)
        dead = sent.fate is Fate.NEVER or (sent.fate is not Fate.UNSENT and tries >= self._receiver.most_tries)
        next_at = self._clock() + wait_s(tries, self._luck()) if back_at is None else back_at
        self.counters["dead" if dead else "failed"] += 1
        await self._store.failed(sent.letter, tries, sent.error[:300], None if dead else next_at)
        told = {"outbox_id": sent.letter.outbox_id, "tries": tries, "reason": sent.error[:300]}
        log.log(logging.ERROR if dead else logging.WARNING, "outbox.dead" if dead else "outbox.not_taken", extra=told)
