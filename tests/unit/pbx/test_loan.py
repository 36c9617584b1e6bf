"""The loan of the line: renewed while the bot has it, never afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from agi_bot.errors import PbxDown
from agi_bot.pbx.asterisk import loan
from agi_bot.pbx.asterisk.loan import LOAN_S, Loans, first_command


class Wire:
    """Records actions; ``answered`` holds them up, ``broken`` refuses them."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, str]]] = []
        self.answered = asyncio.Event()
        self.answered.set()
        self.broken = False

    async def send(self, action: str, headers: dict[str, str]) -> object:
        self.sent.append((action, headers))
        await self.answered.wait()
        if self.broken:
            raise PbxDown("the AMI is gone")
        return []

    def renewals(self, channel: str) -> int:
        return sum(action == "AbsoluteTimeout" and head["Channel"] == channel for action, head in self.sent)


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    monkeypatch.setattr(loan, "RENEW_S", 0.01)
    return Wire()


async def turns(count: int = 3) -> None:
    await asyncio.sleep(0.01 * count + 0.005)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def test_all_lines_are_renewed_again_and_again(wire: Wire) -> None:
    loans = Loans(wire.send)
    loans.take("a")
    loans.take("b")
    running = asyncio.create_task(loans.run())
    await until(lambda: min(wire.renewals("a"), wire.renewals("b")) >= 2)
    running.cancel()
    assert wire.sent[0][1]["Timeout"] == str(LOAN_S)


async def test_a_line_that_was_given_back_is_not_renewed(wire: Wire) -> None:
    loans = Loans(wire.send)
    loans.take("a")
    running = asyncio.create_task(loans.run())
    await until(lambda: wire.renewals("a") > 0)
    await loans.give_back("a")
    before = wire.renewals("a")
    await turns()
    running.cancel()
    assert wire.renewals("a") == before


async def test_giving_back_waits_for_a_renewal_that_is_on_its_way(wire: Wire) -> None:
    loans = Loans(wire.send)
    loans.take("a")
    wire.answered.clear()
    running = asyncio.create_task(loans.run())
    await until(lambda: wire.renewals("a") > 0)
    giving_back = asyncio.create_task(loans.give_back("a"))
    await turns()
    assert not giving_back.done()
    assert wire.renewals("a") == 1, "an unanswered renewal is not repeated"
    wire.answered.set()
    await asyncio.wait_for(giving_back, 30)
    running.cancel()


async def test_a_slow_line_does_not_hold_up_the_others(wire: Wire) -> None:
    stuck = asyncio.Event()

    async def send(action: str, headers: dict[str, str]) -> object:
        wire.sent.append((action, headers))
        if headers["Channel"] == "slow":
            await stuck.wait()
        return []

    loans = Loans(send)
    loans.take("slow")
    loans.take("quick")
    running = asyncio.create_task(loans.run())
    await until(lambda: wire.renewals("quick") >= 2)
    running.cancel()
    assert wire.renewals("slow") == 1


async def test_a_lost_ami_does_not_end_the_renewing(wire: Wire) -> None:
    loans = Loans(wire.send)
    loans.take("a")
    wire.broken = True
    running = asyncio.create_task(loans.run())
    await until(lambda: wire.renewals("a") > 0)
    wire.broken = False
    before = wire.renewals("a")
    await until(lambda: wire.renewals("a") > before)
    assert not running.done()
    running.cancel()


async def test_a_loan_is_made_good_before_a_redirect(wire: Wire) -> None:
    loans = Loans(wire.send)
    loans.take("a")
    await loans.make_good("a")
    assert wire.sent == [("Setvar", {"Channel": "a", "Variable": "TIMEOUT(absolute)", "Value": "0"})]
    wire.broken = True
    with pytest.raises(PbxDown):
        await loans.make_good("a")


async def test_giving_back_what_was_never_taken(wire: Wire) -> None:
    await Loans(wire.send).give_back("nobody")


def test_the_first_word_of_a_call() -> None:
    assert first_command(renewable=True) == b"SET AUTOHANGUP 4\n"
    assert first_command(renewable=False) == b"SET AUTOHANGUP 0\n"
