"""The private Asterisk of the demo and the tests: it runs, it is alone, it goes away."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from agi_bot.demo.asterisk import Asterisk
from agi_bot.demo.installation import Installation
from agi_bot.errors import PbxDown

pytestmark = pytest.mark.asterisk


async def test_it_runs_the_version_it_says(asterisk: Asterisk) -> None:
    assert f"Asterisk {asterisk.version}" in await asterisk.cli("core show version")


@pytest.mark.parametrize("module", ["app_audiosocket", "res_agi", "chan_pjsip", "app_mixmonitor", "app_queue"])
async def test_what_the_bot_needs_is_loaded(asterisk: Asterisk, module: str) -> None:
    assert "Running" in await asterisk.cli(f"module show like {module}.so")


async def test_its_open_ports_are_on_loopback(asterisk: Asterisk) -> None:
    assert f"127.0.0.1:{asterisk.layout.ami}" in await asterisk.cli("manager show settings")
    assert f"127.0.0.1:{asterisk.layout.sip}" in await asterisk.cli("pjsip show transports")


async def test_two_run_beside_each_other_and_leave_nothing(asterisk_installation: Installation) -> None:
    async with Asterisk(asterisk_installation) as one, Asterisk(asterisk_installation) as two:
        folders = [one.layout.folder, two.layout.folder]
        versions = await asyncio.gather(one.cli("core show version"), two.cli("core show version"))
    assert all(one.version in version for version in versions)
    assert [folder for folder in folders if folder.exists()] == []


async def test_a_given_folder_is_kept_and_its_log_has_no_error(
    asterisk_installation: Installation, tmp_path: Path
) -> None:
    async with Asterisk(asterisk_installation, folder=tmp_path / "a") as running:
        await running.cli("core show version")
    assert [line for line in running.log.read_text().splitlines() if " ERROR[" in line] == []


async def test_a_start_that_fails_tells_what_asterisk_said(asterisk_installation: Installation, tmp_path: Path) -> None:
    broken = Asterisk(replace(asterisk_installation, data=tmp_path), folder=tmp_path / "a")
    try:
        with pytest.raises(PbxDown, match="ended while it was starting"):
            await broken.start()
    finally:
        await broken.stop()
