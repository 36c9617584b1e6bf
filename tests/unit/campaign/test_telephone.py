"""One telephone written in several ways is one person, for lists, caps, consent and silence."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agi_bot.campaign.model import AttemptEnd, Campaign, Task
from agi_bot.campaign.permission import Permission, Rules, Window
from agi_bot.campaign.retry import Done
from agi_bot.campaign.store import Database
from agi_bot.campaign.store.people import PeopleStore
from agi_bot.campaign.store.tasks import TaskStore
from agi_bot.campaign.telephone import PREFIXES, spellings
from agi_bot.config.outbound import CampaignSettings
from agi_bot.contracts import Status

NOON = datetime(2026, 11, 24, 4, tzinfo=UTC).timestamp()
OPEN = Rules(windows=(Window(time(0), time(23, 59, 59)),), caps=(), min_interval=timedelta(0))
CAMPAIGN = Campaign("spring", "promotion", rules=OPEN)
PLAIN = "13800138000"
WRITTEN = ("013800138000", "8613800138000", "08613800138000", "008613800138000")


@pytest.mark.parametrize("number", [PLAIN, *WRITTEN])
def test_all_ways_to_write_a_number_are_found(number: str) -> None:
    assert set(spellings(number)) == {PLAIN, *WRITTEN}


@pytest.mark.parametrize("number", ["10086", "012345", "861234", "110", "0012025550123"])
def test_short_numbers_and_those_of_other_countries_are_only_themselves(number: str) -> None:
    assert not {*spellings(number)} - {number, *(prefix + number for prefix in PREFIXES)}


def test_the_beginning_of_a_land_line_is_no_country() -> None:
    assert "123456" not in spellings("86123456")


def test_a_land_line_is_one_with_and_without_its_zero() -> None:
    assert "1086123456" in spellings("01086123456")


def test_the_settings_say_the_same() -> None:
    assert CampaignSettings().number_prefixes == list(PREFIXES)


def test_an_exchange_s_own_digit_may_be_added() -> None:
    assert PLAIN in spellings("9013800138000", [*PREFIXES, "9", "90"])


@given(st.from_regex(r"[0-9]{3,16}", fullmatch=True))
def test_who_is_another_s_spelling_has_the_same_ones(number: str) -> None:
    every = set(spellings(number))
    assert number in every
    assert all(set(spellings(other)) == every for other in every)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database(tmp_path / "a.db")
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def store(database: Database) -> TaskStore:
    tasks = TaskStore(database)
    await tasks.save_campaign(CAMPAIGN)
    await tasks.add([task(number) for number in (PLAIN, *WRITTEN)], NOON)
    return tasks


def task(number: str) -> Task:
    return Task(f"t{number}", "spring", number, "promotion", NOON)


async def asked(store: TaskStore, number: str, rules: Rules = OPEN, now: float = NOON) -> Permission:
    campaign = replace(CAMPAIGN, rules=rules)
    await store.save_campaign(campaign)
    permission = await store.begin(task(number), campaign, f"a-{number}-{now}", "dialer", now)
    assert permission is not None
    return permission


@pytest.mark.parametrize("number", WRITTEN)
async def test_a_list_holds_for_every_spelling(store: TaskStore, number: str) -> None:
    await store.add_do_not_call("state", [PLAIN], "regulator", NOON)
    assert (await asked(store, number)).rule == "do_not_call"


async def test_a_list_with_prefixes_holds_for_the_plain_number(store: TaskStore, database: Database) -> None:
    await store.add_do_not_call("state", ["008613800138000"], "regulator", NOON)
    assert (await asked(store, PLAIN)).rule == "do_not_call"
    people = PeopleStore(database)
    assert [one["list"] for one in await people.lists(PLAIN)] == ["state"]
    assert await people.strike("state", PLAIN)
    assert (await asked(store, PLAIN)).allowed


async def test_caps_count_all_spellings(store: TaskStore) -> None:
    capped = replace(OPEN, caps=((1, 1),))
    assert (await asked(store, PLAIN, capped)).allowed
    assert [(await asked(store, number, capped)).rule for number in WRITTEN] == ["cap_1d"] * 4


async def test_a_refusal_is_one_of_the_person(store: TaskStore, database: Database) -> None:
    assert (await asked(store, PLAIN)).allowed
    end = AttemptEnd("refused", NOON, answered=True, refused=True)
    await store.end(task(PLAIN), f"a-{PLAIN}-{NOON}", end, Done("the person refused"))
    assert (await asked(store, "013800138000")).rule == "cool_down"
    assert (await PeopleStore(database).known("8613800138000"))["refused_at"] == NOON


async def test_the_last_word_about_consent_counts(store: TaskStore) -> None:
    agreed = replace(OPEN, consent=True)
    assert (await asked(store, PLAIN, agreed)).rule == "consent"
    await store.set_consent(["013800138000"], True, "form", NOON)
    assert (await asked(store, PLAIN, agreed)).allowed
    await store.set_consent(["8613800138000"], False, "call", NOON + 1)
    assert (await asked(store, "013800138000", agreed)).rule == "consent"


async def test_digits_that_do_not_exist_say_nothing_of_others(store: TaskStore) -> None:
    assert (await asked(store, "013800138000")).allowed
    end = AttemptEnd(Status.INVALID_NUMBER, NOON)
    await store.end(task("013800138000"), f"a-013800138000-{NOON}", end, Done("no such number", unallocated=True))
    assert (await asked(store, PLAIN)).allowed
    found = await store.history(task("013800138000"), "Asia/Shanghai", NOON)
    assert not found.reachable


async def test_what_was_called_is_told_under_every_spelling(store: TaskStore, database: Database) -> None:
    await asked(store, "8613800138000")
    assert [one["number"] for one in await store.decisions(PLAIN)] == ["8613800138000"]
    assert [one["number"] for one in await PeopleStore(database).attempts("013800138000")] == ["8613800138000"]
