"""Commands: what they look like as bytes, and what is refused before it is one."""

import pytest

from esl import commands
from esl.commands import MAX_COMMAND_BYTES, Command
from esl.errors import LocalProtocolError

NEWLINES = ["a\nb", "a\rb", "a\0b", "x\n\napi shutdown"]


@pytest.mark.parametrize("text", NEWLINES)
@pytest.mark.parametrize(
    "make",
    [
        commands.api,
        commands.auth,
        commands.event,
        lambda text: commands.bgapi(text, "1"),
        lambda text: commands.bgapi("x", text),
        lambda text: commands.event_filter("Unique-ID", text),
        lambda text: commands.hang_up(text),
        lambda text: commands.execute("answer", uuid=text),
        lambda text: commands.execute(text),
        lambda text: commands.user_auth(text, "x"),
        lambda text: commands.send_event("CUSTOM", {"a": text}),
        lambda text: commands.send_event("CUSTOM", {text: "a"}),
    ],
)
def test_a_newline_cannot_add_a_command(make, text: str) -> None:
    with pytest.raises(LocalProtocolError, match=r"newline|header name"):
        make(text).encode()


def test_an_argument_goes_into_the_body_counted_in_bytes() -> None:
    data = commands.execute("playback", "您好\nx", event_id="e-1").encode()
    assert data == (
        b"sendmsg\ncall-command: execute\nexecute-app-name: playback\nEvent-UUID: e-1\nevent-lock: true\n"
        b"content-type: text/plain\ncontent-length: 8\n\n" + "您好\nx".encode()
    )


def test_without_argument_there_is_no_body() -> None:
    assert commands.execute("answer", lock=False).encode() == (
        b"sendmsg\ncall-command: execute\nexecute-app-name: answer\n\n"
    )


def test_a_nul_in_a_body_would_cut_it() -> None:
    with pytest.raises(LocalProtocolError, match="NUL"):
        commands.execute("set", "a=b\0c").encode()


@pytest.mark.parametrize("name", ["", "a b", "a:b"])
def test_bad_header_names(name: str) -> None:
    with pytest.raises(LocalProtocolError, match="header name"):
        commands.send_event("CUSTOM", {name: "x"}).encode()


def test_empty_commands_are_refused() -> None:
    with pytest.raises(LocalProtocolError, match="empty"):
        Command("  ").encode()
    with pytest.raises(LocalProtocolError, match="at least one"):
        commands.event()


def test_a_command_beyond_freeswitchs_limit() -> None:
    with pytest.raises(LocalProtocolError, match=str(MAX_COMMAND_BYTES)):
        commands.execute("log", "x" * MAX_COMMAND_BYTES).encode()


def test_passwords_are_not_shown() -> None:
    assert commands.auth("hush").shown == "auth ***"
    assert commands.user_auth("a@b", "hush").shown == "userauth ***"
    assert commands.api("status").shown == "api status"


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (commands.event("CUSTOM", "a::b"), "event plain CUSTOM a::b"),
        (commands.nixevent("DTMF"), "nixevent DTMF"),
        (commands.event_filter("Unique-ID", "7"), "filter Unique-ID 7"),
        (commands.event_filter_delete("all"), "filter delete all"),
        (commands.event_filter_delete("Unique-ID", "7"), "filter delete Unique-ID 7"),
        (commands.linger(), "linger"),
        (commands.linger(5), "linger 5"),
        (commands.resume(), "resume"),
        (commands.my_events(), "myevents"),
        (commands.exit_(), "exit"),
    ],
)
def test_plain_commands(command: Command, line: str) -> None:
    assert command.encode() == line.encode() + b"\n\n"
