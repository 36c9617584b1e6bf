"""Work that is done again and again, each within its time."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

import pytest

from agi_bot.conversation.patience import Patience
from agi_bot.testing import VirtualTimeLoop

T = TypeVar("T")


def run_virtual(work: Coroutine[None, None, T]) -> T:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(work)


def test_work_that_takes_too_long_is_given_up() -> None:
    async def work() -> float:
        loop, patience = asyncio.get_running_loop(), Patience(3.0)
        with pytest.raises(TimeoutError), patience:
            await asyncio.sleep(60)
        return loop.time()

    assert run_virtual(work()) == pytest.approx(3.0)


def test_every_piece_of_work_has_the_whole_time() -> None:
    async def work() -> list[float]:
        loop, patience, took = asyncio.get_running_loop(), Patience(3.0), []
        for wanted in (2.0, 2.5, 0.0, 60.0):
            began = loop.time()
            try:
                with patience:
                    await asyncio.sleep(wanted)
            except TimeoutError:
                pass
            took.append(loop.time() - began)
            await asyncio.sleep(1.7)
        return took

    assert run_virtual(work()) == pytest.approx([2.0, 2.5, 0.0, 3.0])


def test_nothing_is_given_up_between_two_pieces_of_work() -> None:
    async def work() -> str:
        patience = Patience(3.0)
        with patience:
            await asyncio.sleep(1)
        await asyncio.sleep(60)
        with patience:
            await asyncio.sleep(1)
        return "done"

    assert run_virtual(work()) == "done"


def test_who_is_cancelled_from_outside_is_not_late() -> None:
    async def work() -> None:
        with Patience(3.0):
            await asyncio.sleep(60)

    async def cancel() -> None:
        task = asyncio.create_task(work())
        await asyncio.sleep(1)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        run_virtual(cancel())


def test_an_error_of_the_work_goes_through() -> None:
    async def work() -> None:
        with Patience(3.0):
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        run_virtual(work())


def test_closed_it_leaves_no_timer_behind() -> None:
    async def work() -> float:
        loop, patience = asyncio.get_running_loop(), Patience(3.0)
        with patience:
            await asyncio.sleep(1)
        patience.close()
        return loop.time()

    assert run_virtual(work()) == pytest.approx(1.0)
