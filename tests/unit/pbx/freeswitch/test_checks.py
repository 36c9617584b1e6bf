"""What a check finds in a FreeSWITCH that is set up well, badly, or not at all."""

from __future__ import annotations

import pytest

from agi_bot.findings import Finding, Level
from agi_bot.pbx.freeswitch import checks
from agi_bot.pbx.freeswitch.checks import SocketSettings, check_freeswitch
from agi_bot.pbx.freeswitch.options import FreeSwitchOptions
from esl.testing import FakeFreeSwitch

CONF = """<configuration name="event_socket.conf"><settings>
  <param name="listen-ip" value="{ip}"></param><param name="password" value="{password}"></param>{acl}
</settings></configuration>"""
PROFILES = """                     Name\t   Type\t  Data\tState
=====
                 internal\tprofile\t sip:mod_sofia@10.0.0.1:5060\tRUNNING (0)
                    trunk\tgateway\t sip:x@10.0.0.2\tREGED
=====
1 profile 1 alias
"""
PROFILE = "Name  internal\nCODECS IN        \tOPUS,G722,PCMU,PCMA\n"
ACL = '<param name="apply-inbound-acl" value="lan"></param>'


def fake(**changes: str) -> FakeFreeSwitch:
    """A FreeSWITCH that is set up well, but for ``changes``."""
    told = {
        "version": "FreeSWITCH Version 1.10.12-release+git (git a88d069)\n",
        "event_socket": CONF.format(ip="127.0.0.1", password="own", acl=""),
        "missing": "", "usage": "-USAGE: <uuid> [start] [bidirectionalAudio_enabled]", "profile": PROFILE,
        "port": "8084", "dialplan": '<context name="agi_bot"><extension name="agi_bot_back"/></context>',
        "gateway": "Name  trunk\nStatus  UP\n",
        **changes,
    }  # fmt: skip

    def sofia(command: str) -> str:
        if "gateway" in command:
            return told["gateway"]
        return told["profile"] if "profile" in command else PROFILES

    return FakeFreeSwitch(
        answers={
            "version": told["version"],
            "xml_locate": lambda command: told["event_socket" if "event_socket" in command else "dialplan"],
            "module_exists": lambda command: "false" if command.split()[1] in told["missing"] else "true",
            "sofia": sofia,
            "global_getvar": told["port"],
            "uuid_audio_fork": told["usage"],
            "uuid_audio_stream": "-USAGE: <uuid> [start | stop]",
        }
    )


async def found(peer: FakeFreeSwitch, **options: object) -> list[Finding]:
    async with peer:
        chosen = {"esl_port": peer.port, "esl_password": "secret", **options}
        return [finding async for finding in check_freeswitch(FreeSwitchOptions(**chosen))]  # type: ignore[arg-type]


def bad(findings: list[Finding]) -> list[tuple[Level, str]]:
    return [(finding.level, finding.what) for finding in findings if finding.level is not Level.OK]


async def test_all_is_well() -> None:
    findings = await found(fake())
    assert bad(findings) == []
    assert "FreeSWITCH 1.10.12-release+git" in [finding.what for finding in findings]


async def test_every_finding_that_is_not_well_has_a_cure() -> None:
    peer = fake(
        missing="mod_sofia mod_opus", dialplan="", port="9", gateway="Invalid Gateway!", profile="", version="?"
    )
    for finding in await found(peer):
        assert bool(finding.cure) == (finding.level is not Level.OK), finding


@pytest.mark.parametrize(
    ("ip", "password", "acl", "expected"),
    [
        ("127.0.0.1", "ClueCon", "", [Level.WARNING]),
        ("::", "ClueCon", "", [Level.ERROR, Level.ERROR]),
        ("::", "own", "", [Level.ERROR]),
        ("0.0.0.0", "own", ACL, []),
        ("10.0.0.1", "own", "", [Level.ERROR]),
        ("localhost", "own", "", []),
        ("::1", "own", "", []),
    ],
)
async def test_who_can_reach_the_event_socket(ip: str, password: str, acl: str, expected: list[Level]) -> None:
    peer = fake(event_socket=CONF.format(ip=ip, password=password, acl=acl))
    assert [level for level, _ in bad(await found(peer))] == expected


async def test_the_shipped_password_is_named() -> None:
    peer = fake(event_socket=CONF.format(ip="127.0.0.1", password="ClueCon", acl=""))
    assert "ClueCon" in bad(await found(peer))[0][1]


async def test_missing_modules() -> None:
    findings = bad(await found(fake(missing="mod_dptools mod_spandsp")))
    assert [level for level, _ in findings] == [Level.ERROR, Level.WARNING]
    assert "mod_dptools" in findings[0][1]
    assert "G.722" in findings[1][1]


async def test_a_profile_without_g711() -> None:
    findings = bad(await found(fake(profile="CODECS IN  OPUS,G729\n")))
    assert findings == [(Level.WARNING, "profile internal offers no G.711: OPUS, G729")]


async def test_no_dialplan_and_a_foreign_one() -> None:
    assert bad(await found(fake(dialplan="can't find anything")))[0] == (
        Level.ERROR,
        "dialplan: there is no context agi_bot",
    )
    assert bad(await found(fake(dialplan='<context name="agi_bot"/>')))[0][0] is Level.WARNING


async def test_the_dialplan_calls_another_port() -> None:
    [(level, what)] = bad(await found(fake(port="9000")))
    assert level is Level.ERROR
    assert "9000" in what
    assert bad(await found(fake(port="9000"), port=9000)) == []
    assert bad(await found(fake(port="_undef_"))) == []


async def test_gateways() -> None:
    assert "no gateway trunk" in bad(await found(fake(gateway="Invalid Gateway!\n")))[0][1]
    assert "is down" in bad(await found(fake(gateway="Name  trunk\nStatus  DOWN (ping)\n")))[0][1]
    assert bad(await found(fake(gateway="Invalid Gateway!"), channel="user/{number}")) == []


async def test_an_old_version_and_none() -> None:
    assert bad(await found(fake(version="FreeSWITCH Version 1.4.26")))[0][0] is Level.ERROR
    assert bad(await found(fake(version="hello")))[0][0] is Level.WARNING


async def test_configuration_that_cannot_be_read() -> None:
    assert bad(await found(fake(event_socket="can't find anything")))[0][0] is Level.WARNING


async def test_a_login_that_fails() -> None:
    async with FakeFreeSwitch(password="other") as peer:
        options = FreeSwitchOptions(esl_port=peer.port, esl_password="wrong")
        [finding] = [finding async for finding in check_freeswitch(options)]
    assert finding.level is Level.ERROR
    assert "password" in finding.what
    options = FreeSwitchOptions(esl_port=1, esl_password="x")
    [finding] = [finding async for finding in check_freeswitch(options)]
    assert finding.what == "FreeSWITCH does not answer: 127.0.0.1:1 cannot be reached: Connection refused"
    assert "freeswitch.port" in finding.cure
    rude = b"Content-Type: text/rude-rejection\nContent-Length: 7\n\ngo away"
    async with FakeFreeSwitch(greeting=rude) as peer:
        options = FreeSwitchOptions(esl_port=peer.port, esl_password="x")
        [finding] = [finding async for finding in check_freeswitch(options)]
    assert "refuses our address" in finding.what


async def test_without_a_password_it_says_so() -> None:
    [finding] = [finding async for finding in check_freeswitch(FreeSwitchOptions())]
    assert finding.level is Level.WARNING


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
async def test_a_public_media_address(host: str) -> None:
    options = FreeSwitchOptions(media_host=host)
    first = await anext(check_freeswitch(options))
    assert first.level is Level.WARNING
    assert f"media_host is {host}: anybody" in first.what


@pytest.mark.parametrize("host", ["192.0.2.1", "300.1.1.1", "127.0.0.1:9"])
async def test_a_media_address_that_is_not_ours(host: str) -> None:
    options = FreeSwitchOptions(media_host=host)
    first = await anext(check_freeswitch(options))
    assert first.level is Level.ERROR
    assert f"media_host is {host}: " in first.what
    assert "address of this machine" in first.cure


def test_a_listening_address_that_is_a_name() -> None:
    assert not SocketSettings("pbx", "x", "").local
    assert checks.read_settings("<configuration/>") == SocketSettings("127.0.0.1", "ClueCon", "")


@pytest.mark.parametrize("way", ["audio_fork", "audio_stream"])
async def test_the_module_that_carries_the_sound(way: str) -> None:
    assert f"sound: by mod_{way}" in [finding.what for finding in await found(fake(), media=way)]
    [missing] = [each for each in await found(fake(missing=f"mod_{way}"), media=way) if each.level is Level.ERROR]
    assert missing.what == f"mod_{way} is not loaded: freeswitch.media wants it"
    assert "freeswitch.media: unicast" in missing.cure


async def test_a_mod_audio_fork_that_only_listens() -> None:
    findings = await found(fake(usage="-USAGE: <uuid> [start | stop] [metadata]"), media="audio_fork")
    assert bad(findings) == [(Level.ERROR, "mod_audio_fork: this version cannot speak to callers")]


async def test_without_the_websocket_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "find_spec", lambda name: None)
    [missing] = [each for each in await found(fake(), media="audio_stream") if each.level is Level.ERROR]
    assert missing.cure == "pip install agi-bot[websocket]"
