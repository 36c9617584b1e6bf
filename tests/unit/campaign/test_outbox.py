"""The CRM is told at least once, whatever it does: fails, hangs, repeats, is away for an hour."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agi_bot.address import BadAddress, resolve
from agi_bot.campaign.outbox import LONGEST_WAIT_S, Receiver, Sender, wait_s
from agi_bot.campaign.store import Database
from agi_bot.campaign.store.outbox import OutboxStore


@dataclass
class Crm:
    """A receiver that answers as planned (0: hangs; -1: hangs up; -2: drips for ever; -3: says much), then 200."""

    plan: list[int] = field(default_factory=list)
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0
    chokes_on: bytes = b"no such text"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.received.append((headers, body))
        status = self.plan.pop(0) if self.plan else 500 if self.chokes_on in body else 200
        if status == 0:
            await asyncio.sleep(2)
        elif status == -2:
            await self._drip(writer)
        elif status == -3:
            writer.write(b"HTTP/1.1 200 X\r\nConnection: close\r\n\r\n" + b"ok" * 1_000_000)
        elif status > 0:
            writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            await writer.drain()
        writer.close()

    async def _drip(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 X\r\n")
        with suppress(ConnectionError):
            while True:
                writer.write(b"X: y\r\n")
                await writer.drain()
                await asyncio.sleep(0.05)

    def url(self) -> str:
        return f"http://localhost:{self.port}/results?from=bot"


@dataclass
class Post:
    """Store, receiver and a clock that is moved by hand."""

    database: Database
    store: OutboxStore
    crm: Crm
    now: float = 1000.0
    steady: float = 0.0

    async def write(self, *keys: str, **about: str) -> None:
        rows = [
            {"key": key, "kind": "attempt.ended", "payload": json.dumps({"outcome": "可以", "key": key, **about})}
            | {"state": "waiting", "tries": 0, "next_at": self.now, "error": "", "created_at": self.now}
            for key in keys
        ]
        await self.database.run(lambda db: db.table("outbox").insert_all(rows))

    def sender(self, **changes: object) -> Sender:
        wanted = {"url": self.crm.url(), "secret": "s", "timeout_s": 30.0, "most_tries": 4, "allow_private": True}
        receiver = Receiver(**{**wanted, **changes})  # type: ignore[arg-type]
        clocks = {"clock": lambda: self.now, "steady": lambda: self.steady}
        return Sender(self.store, receiver, tick_s=0.01, luck=lambda: 1.0, **clocks)

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.steady += seconds

    def told(self) -> list[str]:
        """The keys, in the order in which they came."""
        return [headers["idempotency-key"] for headers, _ in self.crm.received]

    async def send_until(self, done: Callable[[Sender], bool], **changes: object) -> Sender:
        sender = self.sender(**changes)
        running = asyncio.create_task(sender.run())
        async with asyncio.timeout(60):
            while not done(sender):  # noqa: ASYNC110 - a plain counter
                await asyncio.sleep(0.005)
        sender.stop()
        await running
        return sender

    async def states(self) -> dict[str, int]:
        return {state: count for state, (count, _) in (await self.store.backlog()).items()}


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    database = Database(tmp_path / "a.db")
    await database.open()
    crm = Crm()
    server = await asyncio.start_server(crm.handle, "localhost", 0)
    crm.port = server.sockets[0].getsockname()[1]
    yield Post(database, OutboxStore(database), crm)
    server.close()
    await database.close()


async def test_told_once_with_key_and_signature(post: Post) -> None:
    await post.write("a1")
    await post.send_until(lambda sender: sender.counters["delivered"] == 1)
    ((headers, body),) = post.crm.received
    assert json.loads(body) == {"outcome": "可以", "key": "a1"}
    assert headers["idempotency-key"] == "a1"
    assert headers["host"] == f"localhost:{post.crm.port}"
    expected = hmac.new(b"s", b"1000." + body, hashlib.sha256).hexdigest()
    assert headers["x-agi-bot-signature"] == f"t=1000,v1={expected}"
    assert await post.states() == {"delivered": 1}


@pytest.mark.parametrize("failure", [500, 503, 301, 404, 0, -1])
async def test_a_failure_is_tried_again_later_with_the_same_key(post: Post, failure: int) -> None:
    post.crm.plan = [failure]
    await post.write("a1")
    await post.send_until(lambda sender: sender.counters["failed"] == 1, timeout_s=30.0 if failure else 0.3)
    await post.send_until(lambda sender: True)
    assert len(post.crm.received) == 1, "not before its time"
    post.now += 2.0
    await post.send_until(lambda sender: sender.counters["delivered"] == 1)
    assert [headers["idempotency-key"] for headers, _ in post.crm.received] == ["a1", "a1"]


async def test_a_receiver_that_drips_holds_nothing_up(post: Post) -> None:
    post.crm.plan = [-2]
    await post.write("a", "b")
    await post.send_until(
        lambda sender: sender.counters["failed"] == 1 and sender.counters["delivered"] == 1, timeout_s=4.0
    )
    assert await post.states() == {"waiting": 1, "delivered": 1}


async def test_no_more_than_the_beginning_of_an_answer_is_read(post: Post) -> None:
    post.crm.plan = [-3]
    await post.write("a")
    await post.send_until(lambda sender: sender.counters["delivered"] == 1, accepted="^(ok)+$")


async def test_letters_outlive_a_setting_that_forbids_their_address(
    post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    await post.write("a")
    for _ in range(6):
        await post.send_until(lambda sender: sender.counters["failed"] == 1, allow_private=False)
        post.pass_time(1000)
    ((waiting, failed, error),) = [await post.store.troubled()]
    assert (waiting, failed) == (1, 1), "after more rounds than most_tries"
    assert "private network" in error
    away = [record for record in caplog.records if record.message == "outbox.receiver_away"]
    assert "private network" in vars(away[0])["reason"]
    assert post.told() == []
    await post.send_until(lambda sender: sender.counters["delivered"] == 1)


async def test_an_hour_away(post: Post) -> None:
    await post.write(*(f"a{n}" for n in range(30)))
    port, post.crm.port = post.crm.port, 1  # nobody listens there
    sender = await post.send_until(lambda sender: sender.counters["failed"] >= 8, most_tries=100)
    assert sender.counters["dead"] == 0
    post.crm.port = port
    post.now += 3600
    await post.send_until(lambda sender: sender.counters["delivered"] == 30)
    assert sorted(headers["idempotency-key"] for headers, _ in post.crm.received) == sorted(f"a{n}" for n in range(30))
    assert await post.states() == {"delivered": 30}


async def test_a_receiver_that_is_away_is_left_alone_and_then_told_in_order(post: Post) -> None:
    keys = [f"a{n}" for n in range(40)]
    await post.write(*keys)
    port, post.crm.port = post.crm.port, 1  # nobody listens there
    sender = post.sender(most_tries=20)
    running = asyncio.create_task(sender.run())
    for _ in range(120):
        post.pass_time(30)
        await asyncio.sleep(0.02)
    waiting = await post.store.listed("waiting")
    assert {row["tries"] for row in waiting if row["key"] not in keys[:8]} == {0}, "only its oldest letters are tried"
    assert sender.counters["failed"] < 50
    sender.stop()
    await running
    post.crm.port = port
    post.pass_time(3600)
    await post.send_until(lambda sender: sender.counters["delivered"] == 40)
    assert sorted(post.told()) == sorted(keys)
    assert all(abs(keys.index(key) - place) < 8 for place, key in enumerate(post.told())), post.told()


async def test_letters_about_one_task_never_overtake_each_other(post: Post) -> None:
    for n in range(12):
        await post.write(f"a{n}", task_id=f"t{n % 2}")
    post.crm.plan = [503]
    sender = post.sender()
    running = asyncio.create_task(sender.run())
    async with asyncio.timeout(60):
        while sender.counters["delivered"] < 12:
            post.pass_time(1)
            await asyncio.sleep(0.005)
    sender.stop()
    await running
    taken = post.told()[1:]
    for task in (0, 1):
        assert [key for key in dict.fromkeys(taken) if int(key[1:]) % 2 == task] == [
            f"a{n}" for n in range(task, 12, 2)
        ]


async def test_a_letter_that_the_receiver_cannot_digest_holds_up_no_other(post: Post) -> None:
    post.crm.chokes_on = b'"a0"'
    await post.write(*(f"a{n}" for n in range(20)))
    sender = post.sender(most_tries=6)
    running = asyncio.create_task(sender.run())
    async with asyncio.timeout(60):
        while sender.counters["delivered"] < 19 or not sender.counters["dead"]:
            post.pass_time(1)
            await asyncio.sleep(0.005)
    sender.stop()
    await running
    assert post.told().count("a0") == 6
    assert (await post.states()) == {"delivered": 19, "dead": 1}


async def test_a_clock_that_is_set_back_holds_up_no_letter(post: Post) -> None:
    post.crm.plan = [500]
    await post.write("a1")
    await post.send_until(lambda sender: sender.counters["failed"] == 1)
    post.now -= 3600
    await post.send_until(lambda sender: sender.counters["delivered"] == 1)
    assert post.told() == ["a1", "a1"]


async def test_too_many_failures_are_set_aside_and_can_be_sent_again(post: Post) -> None:
    post.crm.plan = [500, 500, 500, 500]
    await post.write("a1")
    for _ in range(4):
        await post.send_until(lambda sender: sum(sender.counters.values()) == 1)
        post.now += 3600
    assert await post.states() == {"dead": 1}
    (dead,) = await post.store.listed()
    assert (dead["tries"], dead["error"]) == (4, "answered 500")
    assert await post.store.resend(dead["outbox_id"], post.now) == 1
    await post.send_until(lambda sender: sender.counters["delivered"] == 1)


async def test_what_the_receiver_will_never_take_is_not_repeated(post: Post) -> None:
    post.crm.plan = [422]
    await post.write("a1")
    await post.send_until(lambda sender: sender.counters["dead"] == 1)
    post.now += 86400
    await post.send_until(lambda sender: True)
    assert len(post.crm.received) == 1


async def test_a_gateway_that_reports_failures_with_200(post: Post) -> None:
    await post.write("a1")
    await post.send_until(lambda sender: sender.counters["failed"] == 1, accepted='"code": ?0')
    assert (await post.store.listed("waiting"))[0]["error"].startswith("answered 200")
    post.now += 3600
    await post.send_until(lambda sender: sender.counters["delivered"] == 1, accepted="^$")


async def test_only_its_own_letters(post: Post) -> None:
    await post.write("a1")
    await post.database.run(lambda db: db.execute("UPDATE outbox SET receiver = 'sms'"))
    await post.send_until(lambda sender: True)
    assert post.crm.received == []
    await post.send_until(lambda sender: sender.counters["delivered"] == 1, name="sms")


async def test_a_private_address_is_refused(post: Post) -> None:
    await post.write("a1")
    await post.send_until(lambda sender: sender.counters["failed"] == 1, allow_private=False)
    assert post.crm.received == []
    row = (await post.store.listed("waiting"))[0]
    assert "private network" in row["error"]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/x",
        "http://10.1.2.3/",
        "http://192.168.0.1:8080/",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://0/",
        "http://2130706433/",
        "http://localhost/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "http://",
    ],
)
async def test_addresses_that_are_refused(url: str) -> None:
    with pytest.raises(BadAddress):
        await resolve(url, allow_private=False)


async def test_a_global_address_is_taken() -> None:
    assert (await resolve("https://8.8.8.8/x", allow_private=False)).ip == "8.8.8.8"


def test_the_wait_grows_to_its_limit() -> None:
    assert [wait_s(tries, 1.0) for tries in (1, 2, 3)] == [2.0, 4.0, 8.0]
    assert wait_s(1000, 1.0) == LONGEST_WAIT_S
    assert wait_s(3, 0.0) == 4.0
