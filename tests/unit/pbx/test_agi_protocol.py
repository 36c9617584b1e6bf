"""The AGI parser and the command lines: recorded bytes at every split, quoting, injection."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agi_bot.errors import ProtocolError
from agi_bot.pbx.agi import commands
from agi_bot.pbx.agi.protocol import Event, HangUp, Parser, Reply, Request
from agi_bot.pbx.simulated import split

RECORDED = next((Path(__file__).parents[2] / "data/asterisk").glob("agi-*.bin")).read_bytes()
HEADER = b"agi_network: yes\nagi_channel: PJSIP/a-1\n\n"


def parse(*pieces: bytes) -> list[Event]:
    parser = Parser()
    events: list[Event] = []
    for piece in pieces:
        parser.receive(piece)
        events += parser.events()
    return events


def replies(text: str) -> list[Event]:
    return parse(HEADER + text.encode())[1:]


def test_the_recorded_header_of_asterisk_22() -> None:
    request = parse(RECORDED)[0]
    assert isinstance(request, Request)
    assert request.arguments == ("one", "name=张伟")
    assert request.script == "record"
    assert request.variables["calleridname"] == "张伟"
    assert request.variables["uniqueid"] == "record-agi;2"
    assert request.variables["accountcode"] == ""


def test_the_recorded_replies_of_asterisk_22() -> None:
    events = parse(RECORDED)[1:]
    assert [event.code for event in events if isinstance(event, Reply)] == [200] * 7 + [510, 520, 200, 200, 511, 200]
    assert events.count(HangUp()) == 1
    named = [event for event in events if isinstance(event, Reply)]
    assert named[1].value == '张伟 (x) "y"'
    assert (named[2].result, named[2].value) == ("0", "")
    assert (named[4].number, named[4].ok) == (-2, False)
    assert (named[5].number, named[5].fields["endpos"]) == (-1, "0")
    assert "Sets a variable" in named[8].text
    assert named[12].value == "1"


def test_the_recording_split_at_every_byte() -> None:
    expected = parse(RECORDED)
    for place in range(len(RECORDED) + 1):
        assert parse(RECORDED[:place], RECORDED[place:]) == expected


def test_the_recording_byte_by_byte() -> None:
    assert parse(*(bytes((byte,)) for byte in RECORDED)) == parse(RECORDED)


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("200 result=0\n", Reply(200, "0", text="200 result=0")),
        ("200 result=1 (a b)\n", Reply(200, "1", "a b", text="200 result=1 (a b)")),
        ("200 result=1 ()\n", Reply(200, "1", "", text="200 result=1 ()")),
        ("200 result=1 (a (b) c)\n", Reply(200, "1", "a (b) c", text="200 result=1 (a (b) c)")),
        ("200 result= (timeout)\n", Reply(200, "", "timeout", text="200 result= (timeout)")),
        ("200 result=-1 endpos=8\n", Reply(200, "-1", "", {"endpos": "8"}, "200 result=-1 endpos=8")),
        ("200 result=53 endpos=8\r\n", Reply(200, "53", "", {"endpos": "8"}, "200 result=53 endpos=8")),
        ("200 result=1 (one\ntwo)\n", Reply(200, "1", "one\ntwo", text="200 result=1 (one\ntwo)")),
        ("100 result=0 Trying...\n200 result=0\n", Reply(200, "0", text="200 result=0")),
        ("511 Command Not Permitted\n", Reply(511, text="511 Command Not Permitted")),
        ("200\n", Reply(200, text="200")),
    ],
)
def test_replies(text: str, reply: Reply) -> None:
    assert replies(text) == [reply]


def test_a_hang_up_between_replies_is_no_reply() -> None:
    events = replies("200 result=0\nHANGUP\n200 result=1\n")
    assert [type(event) for event in events] == [Reply, HangUp, Reply]


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"GET / HTTP/1.1\r\n", "expected 'agi_name: value'"),
        (b"\n", "an empty header block"),
        (b"\x16\x03\x01\x00\n", "expected 'agi_name: value'"),
        (HEADER + b"hello\n", "expected a reply such as"),
        (HEADER + b"20x result=0\n", "expected a reply such as"),
        ("²³⁴ result=0\n".encode(), "expected 'agi_name: value'"),
        (HEADER + "²³⁴ result=0\n".encode(), "expected a reply such as"),
        (b"agi_a: " + b"x" * 70000, "a line of more than 65536 bytes"),
        (b"".join(b"agi_%d: x\n" % number for number in range(300)), "more than 200 header lines"),
        (HEADER + b"520-x\n" * 300, "a reply of more than 200 lines"),
    ],
)
def test_what_is_not_agi_is_told_with_its_place(data: bytes, what: str) -> None:
    with pytest.raises(ProtocolError, match=what):
        parse(data)


def test_events_before_a_fault_are_given_out_and_the_fault_stays() -> None:
    parser = Parser()
    parser.receive(HEADER + b"200 result=0\nnonsense\n200 result=1\n")
    events = parser.events()
    assert [type(next(events)), type(next(events))] == [Request, Reply]
    with pytest.raises(ProtocolError, match="AGI line 5"):
        next(events)
    with pytest.raises(ProtocolError):
        list(parser.events())


@pytest.mark.parametrize("data", [b"agi_a: b\n", b"agi_", HEADER + b"200 res", HEADER + b"520-Invalid\n"])
def test_a_connection_that_ends_in_the_middle_is_told(data: bytes) -> None:
    parser = Parser()
    parser.receive(data)
    list(parser.events())
    with pytest.raises(ProtocolError, match="in the middle"):
        parser.end()


def test_a_health_check_is_not_a_fault() -> None:
    parser = Parser()
    assert parser.untouched
    parser.end()


@given(st.binary(max_size=600))
def test_random_bytes_give_events_or_our_error(data: bytes) -> None:
    for prefix in (b"", HEADER):
        with suppress(ProtocolError):
            parse(prefix + data)


@given(st.text(st.characters(blacklist_characters="\n\r\0", blacklist_categories=["Cs"])))
def test_a_value_comes_back_as_asterisk_wraps_it(value: str) -> None:
    reply = replies(f"200 result=1 ({value})\n200 result=0\n")[0]
    assert isinstance(reply, Reply)
    if ")" not in value:
        assert reply.value == value


# --- commands ---


@given(st.lists(st.text(st.characters(blacklist_characters="\n\r\0", blacklist_categories=["Cs"])), max_size=4))
def test_asterisk_reads_back_every_argument_as_it_was(arguments: list[str]) -> None:
    line = commands.line("EXEC", "Set", *arguments)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert split(line.decode()[:-1]) == ["EXEC", "Set", *arguments]


@pytest.mark.parametrize("mark", ["\n", "\r", "\0", "\r\nHANGUP\r\n"])
def test_a_line_end_in_an_argument_is_refused(mark: str) -> None:
    for make in (
        lambda text: commands.set_variable("NAME", text),
        lambda text: commands.execute("Set", text),
        lambda text: commands.stream_file(text),
        lambda text: commands.verbose(text),
        lambda text: commands.get_variable(text),
        lambda text: commands.set_priority(text, "s", "1"),
    ):
        with pytest.raises(ValueError, match=r"line end|not a name"):
            make(f"a{mark}b")


def test_a_command_that_asterisk_would_cut_is_refused() -> None:
    with pytest.raises(ValueError, match="Asterisk reads 2047"):
        commands.set_variable("NAME", "字" * 700)


@given(st.text(st.characters(blacklist_characters="\n\r\0", blacklist_categories=["Cs"]), max_size=3000))
def test_a_fitted_value_always_fits(value: str) -> None:
    fitted = commands.fit(value)
    assert value.startswith(fitted)
    assert len(commands.set_variable("BOT_SLOT_SOMETHING_LONG", fitted)) <= 2048


@pytest.mark.parametrize("name", ["BOT_OUTCOME", "_NAME", "__NAME", "时间", "a1"])
def test_possible_names_of_variables(name: str) -> None:
    assert commands.check_name(name) == name


@pytest.mark.parametrize("name", ["", "1a", "a b", "CDR(x)", "a=b", "a${b}", "a-b", "___a\n"])
def test_impossible_names_of_variables(name: str) -> None:
    with pytest.raises(ValueError, match="not a name"):
        commands.check_name(name)


def test_a_comma_would_be_a_second_argument() -> None:
    with pytest.raises(ValueError, match="comma"):
        commands.execute("AudioSocket", "uuid", "host,port")


def test_the_lines_of_a_new_place_in_the_dialplan() -> None:
    assert commands.set_priority("default", "100", "1") == (
        b"SET CONTEXT default\n",
        b"SET EXTENSION 100\n",
        b"SET PRIORITY 1\n",
    )
