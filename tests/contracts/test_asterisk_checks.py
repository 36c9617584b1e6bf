"""What ``agi-bot check`` finds on a real Asterisk, and on an installation with mistakes."""

from __future__ import annotations

import socket

import pytest

from agi_bot.demo.asterisk import Asterisk
from agi_bot.demo.ports import free_port
from agi_bot.findings import Level, worst
from agi_bot.pbx.asterisk import AmiOptions, AsteriskOptions
from agi_bot.pbx.asterisk_checks import check_asterisk, check_own_files, check_port, check_user, check_version


def port() -> int:
    return free_port(socket.SOCK_STREAM)


def login(asterisk: Asterisk, **changes: object) -> AmiOptions:
    layout = asterisk.layout
    chosen = {"user": layout.user, "secret": layout.secret, "port": layout.ami, **changes}
    return AmiOptions(**chosen)  # type: ignore[arg-type]


@pytest.mark.asterisk
async def test_a_good_installation_is_found_good(contract_asterisk: Asterisk) -> None:
    options = AsteriskOptions(
        agi_port=port(),
        audio_port=port(),
        ami=login(contract_asterisk),
        channel="Local/{number}@contract-out",
    )
    await contract_asterisk.set_global("AGI_BOT_PORT", str(options.agi_port))
    findings = await check_asterisk(options)
    assert [finding for finding in findings if finding.level is not Level.OK] == []
    told = " ".join(finding.what for finding in findings)
    for word in (contract_asterisk.version, "app_audiosocket", "res_agi", "contract-out", "clocks", "FastAGI port"):
        assert word in told


@pytest.mark.asterisk
async def test_mistakes_are_found_and_each_has_a_cure(contract_asterisk: Asterisk) -> None:
    await contract_asterisk.set_global("AGI_BOT_PORT", "4999")
    options = AsteriskOptions(
        agi_port=port(),
        audio_port=port(),
        ami=login(contract_asterisk),
        context="agi-bott",
        channel="Local/{number}@nowhere/n",
    )
    findings = await check_asterisk(options, calls=100_000)
    bad = [finding for finding in findings if finding.level is not Level.OK]
    told = "\n".join(f"{finding.level} {finding.what}" for finding in bad)
    for word in ("no context agi-bott", "no context nowhere", "port 4999", "enough for about", "this process may open"):
        assert word in told
    assert all(finding.cure for finding in bad)


@pytest.mark.asterisk
async def test_routes_that_are_not_there(contract_asterisk: Asterisk) -> None:
    options = AsteriskOptions(agi_port=0, audio_port=0, ami=login(contract_asterisk))
    findings = await check_asterisk(options)
    assert "dialplan context agi-bot-outbound" in [finding.what for finding in findings]
    (bad,) = [finding for finding in findings if finding.level is Level.ERROR and "context" in finding.what]
    assert bad.what == "the dialplan has no context outbound"
    assert "AGI_BOT_ROUTES" in bad.cure
    await contract_asterisk.set_global("AGI_BOT_ROUTES", "contract-out")
    findings = await check_asterisk(options)
    assert "dialplan context contract-out" in [finding.what for finding in findings]


@pytest.mark.asterisk
async def test_a_wrong_secret_is_one_finding_with_its_cure(contract_asterisk: Asterisk) -> None:
    findings = await check_asterisk(AsteriskOptions(agi_port=0, audio_port=0, ami=login(contract_asterisk, secret="x")))
    assert findings[-1].level is Level.ERROR
    assert "refused the login" in findings[-1].what
    assert "manager.conf" in findings[-1].cure


async def test_an_asterisk_that_is_not_there() -> None:
    findings = await check_asterisk(AsteriskOptions(ami=AmiOptions(user="a", secret="b", port=port())))
    assert "cannot be reached" in findings[-1].what
    assert worst(findings) is Level.ERROR


async def test_without_ami_only_inbound_calls_are_possible() -> None:
    findings = await check_asterisk(AsteriskOptions(agi_port=port(), audio_port=port()))
    assert "inbound calls only" in findings[-1].what
    assert worst(findings) is Level.WARNING


def test_a_taken_port_is_a_running_bot_or_an_error() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        assert check_port("127.0.0.1", port, "FastAGI", "agi_port").level is Level.ERROR
        other.listen()
        assert "in use" in check_port("127.0.0.1", port, "FastAGI", "agi_port").what
    assert check_port("203.0.113.1", port, "FastAGI", "agi_port").level is Level.ERROR
    assert check_port("127.0.0.1", 0, "FastAGI", "agi_port").level is Level.WARNING


@pytest.mark.parametrize(
    ("shown", "open_to_all"),
    [
        ("   ACL: no", True),
        ("   ACL: yes\nACL: (unnamed)\n----\n  0: allow - 127.0.0.1/255.255.255.255", True),
        (
            "   ACL: yes\nACL: (unnamed)\n----\n  0:  deny - 0.0.0.0/0.0.0.0\n  1: allow - 127.0.0.1/255.255.255.255",
            False,
        ),
        ("   ACL: yes", False),
    ],
)
def test_an_ami_user_for_everybody(shown: str, open_to_all: bool) -> None:
    lines = ["", "   username: bot", *shown.splitlines(), "   read perm: system,call"]
    assert ["every host" in finding.what for finding in check_user("bot", "x", lines)] == [True] * open_to_all


def test_the_secret_of_the_readme() -> None:
    (finding,) = check_user("bot", "change-me", ["   ACL: yes"])
    assert (finding.level, "change-me" in finding.what) == (Level.WARNING, True)


def test_too_few_files() -> None:
    assert check_own_files(10**7).level is Level.WARNING
    assert check_own_files(1).level is Level.OK


@pytest.mark.parametrize(
    ("version", "level", "count"),
    [
        ("22.10.1~dfsg", Level.OK, 1),
        ("22.4.0", Level.WARNING, 2),
        ("20.6.0", Level.WARNING, 3),
        ("certified/20.7-cert4", Level.WARNING, 3),
        ("18.9", Level.WARNING, 3),
        ("23.0.0", Level.OK, 1),
        ("16.28.0", Level.ERROR, 1),
        ("", Level.WARNING, 1),
    ],
)
def test_what_a_version_means(version: str, level: Level, count: int) -> None:
    findings = check_version(version)
    assert (worst(findings), len(findings)) == (level, count)
