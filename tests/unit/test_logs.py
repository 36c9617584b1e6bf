"""One line an event, whatever is in it; JSON for collectors; nothing of other libraries below a warning."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from agi_bot import logs
from agi_bot.testing import FakeCall


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    yield
    root.handlers[:], level = before
    root.setLevel(level)


def lines(form: str = "text", level: str = "info") -> tuple[io.StringIO, logging.Logger]:
    stream = io.StringIO()
    logs.configure(level, "json" if form == "json" else "text", stream)
    return stream, logging.getLogger("agi_bot.test")


def test_a_line_has_time_level_event_and_the_calls_names() -> None:
    stream, log = lines()
    call = FakeCall("id-1")
    log.info("call.arrived", extra={**logs.of_call(call), "flow": "greet"})
    (line,) = stream.getvalue().splitlines()
    time, level, event, *told = line.split()
    assert time.startswith("20")
    assert (level, event) == ("info", "call.arrived")
    assert told == ["call_id=id-1", f"channel={call.channel}", f"unique_id={call.unique_id}", "flow=greet"]


@pytest.mark.parametrize(
    ("channel", "shown"),
    [
        ("Local/13900000201@agi-bot-outbound-0000001f;2", "Local/*******0201@agi-bot-outbound-0000001f;2"),
        ("PJSIP/8613900000201-00000012", "PJSIP/*********0201-00000012"),
        ("sofia/gateway/trunk/013900000201", "sofia/gateway/trunk/********0201"),
        ("sofia/external/+8613900000201@10.0.0.1:5060", "sofia/external/+*********0201@10.0.0.1:5060"),
        ("sofia/external/sip:13900000201@10.0.0.1", "sofia/external/sip:*******0201@10.0.0.1"),
        ("PJSIP/trunk-12345678", "PJSIP/trunk-12345678"),
        ("PJSIP/100200-00000001", "PJSIP/100200-00000001"),
        ("DAHDI/i1/13900000201-1a", "DAHDI/i1/*******0201-1a"),
    ],
)
def test_a_number_in_a_channel_s_name_is_for_debug_only(channel: str, shown: str) -> None:
    stream, log = lines()
    log.info("call.arrived", extra={"channel": channel})
    assert stream.getvalue().split("channel=")[1].strip('"\n') == shown
    stream, log = lines(level="debug")
    log.info("call.arrived", extra={"channel": channel})
    assert channel in stream.getvalue()


@pytest.mark.parametrize("value", ["a\r\nerror forged.line x=1", "with space", 'quo"te', "a=b", "", "\x1b[31m"])
def test_no_value_can_forge_a_line_or_a_field(value: str) -> None:
    stream, log = lines()
    log.error("bad.input", extra={"reason": value})
    (line,) = stream.getvalue().splitlines()
    assert line.count(" reason=") == 1
    assert json.loads(line.partition("reason=")[2]) == value


def test_chinese_stays_chinese_and_lists_are_lists() -> None:
    stream, log = lines()
    log.info("flow.loaded", extra={"flow": "复诊", "steps": [1, 2], "share": 0.5, "ok": True, "none": None})
    assert stream.getvalue().rstrip().endswith('flow=复诊 steps="[1, 2]" share=0.5 ok=true none=null')


def test_an_exception_follows_its_line() -> None:
    stream, log = lines()
    try:
        raise ValueError("broken")
    except ValueError:
        log.exception("call.crashed")
    first, *rest = stream.getvalue().splitlines()
    assert "error call.crashed" in first
    assert rest[-1] == "ValueError: broken"


def test_json_lines() -> None:
    stream, log = lines("json")
    log.info("call.ended", extra={"outcome": "改期", "turns": 3})
    data = json.loads(stream.getvalue())
    assert (data["event"], data["level"], data["outcome"], data["turns"]) == ("call.ended", "info", "改期", 3)


def test_other_libraries_speak_from_warning_on() -> None:
    stream, log = lines()
    logging.getLogger("httpx").info("noise")
    logging.getLogger("httpx").warning("trouble")
    log.debug("too small")
    assert [line.split()[2] for line in stream.getvalue().splitlines()] == ["trouble"]


@pytest.mark.parametrize("form", ["text", "json"])
def test_words_are_masked_and_names_are_not(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_masks", [])
    logs.mask_with(lambda text: text.replace("13812345678", "*" * 11))
    stream, log = lines(form)
    log.error("task.refused", extra={"reason": "phone 13812345678 is wrong", "call_id": "13812345678"})
    assert "phone *********** is wrong" in stream.getvalue()
    assert "13812345678" in stream.getvalue()
    try:
        raise ValueError("13812345678")
    except ValueError:
        log.exception("call.crashed")
    if form == "text":
        assert "ValueError: ***********" in stream.getvalue()
