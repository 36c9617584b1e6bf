"""Real parts for the tests: a real Asterisk, provided where there is none; and how chance is dealt with."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import settings

from agi_bot.demo.asterisk import Asterisk
from agi_bot.demo.installation import Installation
from agi_bot.demo.provision import NoAsterisk, provide

ROOT = Path(__file__).parents[1]
DIALPLANS = sorted((ROOT / "dialplans/asterisk").glob("agi-bot*.conf"))
TEST_DIALPLANS = sorted((ROOT / "tests/integration/asterisk").glob("*.conf"))

# The same examples each time; ``pytest --hypothesis-profile=random`` looks for new ones.
settings.register_profile("settled", derandomize=True, deadline=None)
settings.register_profile("random", deadline=None)
settings.load_profile("settled")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What runs by the wall clock is tried a second time; the end of the run tells of it."""
    for item in items:
        if item.get_closest_marker("wall_clock"):
            item.add_marker(pytest.mark.flaky(reruns=1))


_MODULE_FIXTURES: list[tuple[pytest.FixtureDef[object], pytest.FixtureRequest]] = []


def pytest_fixture_setup(fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest) -> None:
    if fixturedef.scope == "module":
        _MODULE_FIXTURES.append((fixturedef, request))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """A second try gets nothing of the first: its module's fixtures are made anew."""
    if getattr(item, "execution_count", 1) > 1:
        while _MODULE_FIXTURES:
            fixture, request = _MODULE_FIXTURES.pop()
            fixture.finish(request)  # type: ignore[arg-type]  # nothing, where it was finished before


@pytest.fixture(scope="session")
def asterisk_installation() -> Installation:
    """An Asterisk to run.  On Debian it must be there: failing to get one fails the tests."""
    try:
        return provide(lambda line: print(line, flush=True))
    except NoAsterisk as error:
        if _on_debian():
            pytest.fail(f"no Asterisk for the tests: {error}", pytrace=False)
        pytest.skip(str(error))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def asterisk(asterisk_installation: Installation) -> AsyncIterator[Asterisk]:
    """A running Asterisk with the shipped dialplans and those of tests/integration/asterisk/*.conf.

    Where the bot listens is told with ``await asterisk.set_global("AGI_BOT_PORT", ...)``.
    ``AGI_BOT_TEST_LOG=file`` keeps Asterisk's log.  A machine that runs tests may be slow: a bot that
    says nothing is given up after 6 s, unless a test says otherwise.
    """
    variables = {"AGI_BOT_PATIENCE": "6"}
    async with Asterisk(asterisk_installation, variables=variables, dialplans=(*DIALPLANS, *TEST_DIALPLANS)) as running:
        yield running
        if keep := os.environ.get("AGI_BOT_TEST_LOG"):
            shutil.copyfile(running.log, keep)


def _on_debian() -> bool:
    try:
        return platform.freedesktop_os_release().get("ID") == "debian"
    except OSError:
        return False
