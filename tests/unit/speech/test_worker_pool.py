"""Workers that die, hang, babble and grow: the pool keeps its promise."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agi_bot.errors import EngineDown, ModelError, SpeechError
from agi_bot.speech.worker.pool import Limits, WorkerPool

UNRULY = Path(__file__).with_name("unruly.py")
CALM = Limits(ready_s=30, silent_s=20, patience_s=30, backoff_s=0.05, backoff_max_s=0.2)
"""For a machine that is slow at times."""
QUICK = replace(CALM, silent_s=0.6)
"""Where a worker hangs."""


@asynccontextmanager
async def pool(mode: str = "", size: int = 1, limits: Limits = CALM) -> AsyncIterator[WorkerPool]:
    made = WorkerPool([sys.executable, "-P", str(UNRULY), mode], name="unruly", size=size, limits=limits)
    try:
        yield made
    finally:
        await made.close()


async def said(workers: WorkerPool, text: str, **more: Any) -> bytes:
    return b"".join([piece async for piece in workers.run({"text": text, **more})])


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def sound(text: str, pieces: int = 3) -> bytes:
    return b"".join(bytes([n]) * 4 + text.encode().ljust(16, b"\0") for n in range(pieces))


async def test_a_request_gets_its_own_sound() -> None:
    async with pool() as workers:
        assert await said(workers, "one") == sound("one")
        assert workers.info["rate"] == 8000


@pytest.mark.parametrize("size", [1, 3])
async def test_many_at_once_do_not_mix(size: int) -> None:
    async with pool(size=size) as workers:
        texts = [f"text {number}" for number in range(40)]
        assert await asyncio.gather(*(said(workers, text) for text in texts)) == [sound(text) for text in texts]


async def test_several_workers_share_the_work() -> None:
    async with pool(size=2) as workers:
        await workers.start()
        await until(lambda: len(workers.pids) == 2)
        async with asyncio.timeout(30):
            await asyncio.gather(*(said(workers, "slow", pause_s=0.05) for _ in range(4)))


@pytest.mark.parametrize(("text", "message"), [("refuse", "I do not say that"), ("bug", "KeyError: 'oops'")])
async def test_a_refusal_is_an_error_and_the_worker_lives(text: str, message: str) -> None:
    async with pool() as workers:
        with pytest.raises(SpeechError, match=message):
            await said(workers, text)
        assert await said(workers, "on") == sound("on")
        assert workers.restarts == 0


async def test_what_a_library_prints_does_not_break_the_wire() -> None:
    async with pool() as workers:
        assert await said(workers, "chatter") == sound("chatter")


async def test_a_text_that_kills_is_tried_twice_and_the_next_one_is_served() -> None:
    async with pool() as workers:
        with pytest.raises(EngineDown, match="twice on the same text"):
            await said(workers, "die")
        assert await said(workers, "on") == sound("on")
        assert workers.restarts == 2


async def test_those_who_waited_behind_a_killer_are_served() -> None:
    async with pool() as workers:
        await workers.start()
        killer = asyncio.create_task(said(workers, "die"))
        assert await asyncio.gather(*(said(workers, f"t{n}") for n in range(5))) == [sound(f"t{n}") for n in range(5)]
        with pytest.raises(EngineDown):
            await killer


async def test_death_in_mid_sentence_goes_on_where_it_was(tmp_path: Path) -> None:
    async with pool() as workers:
        assert await said(workers, "long", pieces=6, die_once_after=str(tmp_path / "died")) == sound("long", 6)
        assert workers.restarts == 1


async def test_a_worker_that_hangs_is_killed_and_replaced() -> None:
    async with pool(limits=QUICK) as workers:
        with pytest.raises(EngineDown, match="hung"):
            await said(workers, "hang")
        assert await said(workers, "on") == sound("on")


async def test_a_stopped_worker_is_replaced_under_its_request() -> None:
    async with pool(limits=QUICK) as workers:
        await workers.start()
        os.kill(workers.pids[0], signal.SIGSTOP)
        assert await said(workers, "on") == sound("on")


async def test_killed_while_idle_the_next_request_is_served() -> None:
    async with pool() as workers:
        await workers.start()
        os.kill(workers.pids[0], signal.SIGKILL)
        assert await said(workers, "on") == sound("on")


async def test_garbage_on_the_wire_ends_the_worker() -> None:
    async with pool() as workers:
        await workers.start()
        pid = workers.pids[0]
        worker = workers._slots[0].worker
        assert worker is not None
        assert worker._process.stdout is not None
        worker._process.stdout.feed_data(b"\xff" * 20)
        await until(lambda: workers.pids and workers.pids[0] != pid)
        assert await said(workers, "on") == sound("on")


async def test_a_request_that_waits_long_behind_others_is_not_a_hang() -> None:
    async with pool(limits=replace(CALM, silent_s=2)) as workers:
        await workers.start()
        first = asyncio.create_task(said(workers, "slow", pieces=16, pause_s=0.15))
        await asyncio.sleep(0.05)
        assert await said(workers, "late") == sound("late")
        assert await first == sound("slow", 16)
        assert workers.restarts == 0


async def test_closing_the_iterator_stops_the_work(tmp_path: Path) -> None:
    log = tmp_path / "log"
    async with pool() as workers:
        async with aclosing(workers.run({"text": "long", "pieces": 2000, "pause_s": 0.01, "log": str(log)})) as pieces:
            async for _ in pieces:
                break
        assert await said(workers, "next") == sound("next")
        assert len(log.read_text().splitlines()) < 1500


async def test_a_request_cancelled_while_it_waits_is_never_made(tmp_path: Path) -> None:
    log = tmp_path / "log"
    async with pool() as workers:
        await workers.start()
        first = asyncio.create_task(said(workers, "slow", pieces=1, pause_s=1.5))
        await asyncio.sleep(0.1)
        waiting = asyncio.create_task(said(workers, "never", log=str(log)))
        await asyncio.sleep(0.05)
        waiting.cancel()
        await first
        await said(workers, "after")
        assert not log.exists()


async def test_a_worker_that_eats_memory_is_replaced() -> None:
    async with pool(limits=replace(CALM, max_mb=70)) as workers:
        await workers.start()
        pid = workers.pids[0]
        assert await said(workers, "grow") == sound("grow")
        await until(lambda: workers.pids and workers.pids[0] != pid)
        assert await said(workers, "on") == sound("on")


async def test_a_worker_that_eats_in_mid_sentence_is_killed_there(tmp_path: Path) -> None:
    log = tmp_path / "log"
    async with pool(limits=replace(CALM, max_mb=100, look_s=0.02)) as workers:
        await workers.start()
        with pytest.raises(EngineDown, match=r"died: it grew to 1\d\d MB, twice on the same text"):
            await said(workers, "eat", pieces=200, pause_s=0.02, log=str(log))
        assert len(log.read_text().splitlines()) < 150
        assert await said(workers, "on") == sound("on")
        assert workers.restarts == 2


async def test_a_worker_that_eats_does_not_hurt_those_beside_it() -> None:
    async with pool(size=2, limits=replace(CALM, max_mb=100, look_s=0.02)) as workers:
        await workers.start()
        await until(lambda: len(workers.pids) == 2)
        eater = asyncio.create_task(said(workers, "eat", pieces=200, pause_s=0.02))
        others = await asyncio.gather(*(said(workers, f"t{n}", pieces=30, pause_s=0.01) for n in range(4)))
        assert others == [sound(f"t{n}", 30) for n in range(4)]
        with pytest.raises(EngineDown):
            await eater


async def test_a_worker_within_its_limit_is_left_alone() -> None:
    async with pool(limits=replace(CALM, max_mb=1000, look_s=0.01)) as workers:
        await said(workers, "eat", pieces=10, pause_s=0.02)
        assert workers.restarts == 0


async def test_a_model_that_is_refused_says_why() -> None:
    async with pool("broken") as workers:
        with pytest.raises(ModelError, match=r"no config\.json"):
            await workers.start()


async def test_a_worker_that_crashes_at_its_start_gives_its_last_words() -> None:
    async with pool("crash") as workers:
        with pytest.raises(EngineDown, match="Segmentation fault"):
            await workers.start()


async def test_a_worker_that_never_gets_ready_is_given_up() -> None:
    async with pool("slow", limits=Limits(ready_s=0.3)) as workers:
        with pytest.raises(EngineDown, match="hung"):
            await workers.start()


async def test_a_worker_that_somebody_did_not_wait_for_comes_up_all_the_same() -> None:
    async with pool("late") as workers:
        for _ in range(2):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(said(workers, "one"), 0.1)
        await until(lambda: workers.pids)
        assert await said(workers, "two") == sound("two")
        assert workers.restarts == 0


async def test_a_command_that_is_not_there() -> None:
    workers = WorkerPool(["/nonexistent/python"], name="absent")
    with pytest.raises(EngineDown, match="cannot be started"):
        await workers.start()


async def test_close_leaves_no_process() -> None:
    async with pool(size=2) as workers:
        await workers.start()
        await until(lambda: len(workers.pids) == 2)
        pids = workers.pids
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    await workers.close()


async def test_who_waits_when_the_pool_closes_gets_an_error() -> None:
    async with pool() as workers:
        waiting = asyncio.create_task(said(workers, "slow", pieces=50, pause_s=0.1))
        await until(lambda: workers.pids)
        await asyncio.sleep(0.1)
        await workers.close()
        with pytest.raises(EngineDown):
            async with asyncio.timeout(30):
                await waiting


async def test_the_beginning_of_a_sentence_comes_before_the_end_of_others(tmp_path: Path) -> None:
    log = str(tmp_path / "log")
    async with pool() as workers:
        long = asyncio.create_task(said(workers, "long", pieces=100, pause_s=0.02, log=log))
        await until(Path(log).exists)
        assert await said(workers, "new", pieces=2, log=log) == sound("new", 2)
        assert not long.done()
        assert await long == sound("long", 100)
    order = [line.split()[0] for line in (tmp_path / "log").read_text().splitlines()]
    assert order.index("new") < 98


async def test_only_the_one_worked_on_is_blamed_for_a_death() -> None:
    async with pool() as workers:
        calls = [asyncio.create_task(said(workers, f"call {n}", pieces=20, pause_s=0.01)) for n in range(4)]
        await asyncio.sleep(0.15)
        with pytest.raises(EngineDown, match="twice"):
            await said(workers, "die")
        assert await asyncio.gather(*calls) == [sound(f"call {n}", 20) for n in range(4)]
