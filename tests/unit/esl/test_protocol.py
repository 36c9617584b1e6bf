"""The sans-IO core: phases, pairing of replies, whose fault a fault is."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl import commands
from esl.errors import LocalProtocolError, RemoteProtocolError
from esl.messages import AuthRequest, Disconnect, Event, LogLine, Malformed, Message, Rejected, Reply
from esl.protocol import Connection, Phase, Role
from esl.testing import GREETING, encode_event, encode_reply, encode_response


def receive(connection: Connection, data: bytes) -> list[Message]:
    connection.feed(data)
    return list(connection.messages())


def logged_in() -> Connection:
    connection = Connection(Role.INBOUND)
    receive(connection, GREETING)
    connection.send(commands.auth("secret"))
    receive(connection, encode_reply("+OK accepted"))
    return connection


def test_the_way_in() -> None:
    connection = Connection(Role.INBOUND)
    assert connection.phase is Phase.GREETING
    assert receive(connection, GREETING) == [AuthRequest()]
    assert connection.send(commands.auth("secret")) == b"auth secret\n\n"
    [reply] = receive(connection, encode_reply("+OK accepted"))
    assert isinstance(reply, Reply)
    assert reply.ok
    assert connection.phase is Phase.READY


def test_a_wrong_password_leaves_the_connection_at_the_door() -> None:
    connection = Connection(Role.INBOUND)
    receive(connection, GREETING)
    connection.send(commands.auth("wrong"))
    [reply] = receive(connection, encode_reply("-ERR invalid"))
    assert isinstance(reply, Reply)
    assert not reply.ok
    assert connection.phase is Phase.LOGIN


def test_nothing_but_auth_before_the_login() -> None:
    connection = Connection(Role.INBOUND)
    with pytest.raises(LocalProtocolError, match="greeting"):
        connection.send(commands.api("status"))
    receive(connection, GREETING)
    with pytest.raises(LocalProtocolError, match="login"):
        connection.send(commands.api("status"))
    assert connection.pending == 0


def test_an_outbound_socket_begins_with_connect() -> None:
    connection = Connection(Role.OUTBOUND)
    with pytest.raises(LocalProtocolError, match="connecting"):
        connection.send(commands.my_events())
    connection.send(commands.connect())
    data = b"Event-Name: CHANNEL_DATA\nCaller-Caller-ID-Name: x%0AForged: y\n"
    data += b"Content-Type: command/reply\nReply-Text: %2BOK%0A\n\n"
    [reply] = receive(connection, data)
    assert isinstance(reply, Reply)
    assert reply.text == "+OK"
    assert reply.headers["Caller-Caller-ID-Name"] == "x\nForged: y"
    assert "Forged" not in reply.headers
    assert connection.phase is Phase.READY


def test_replies_belong_to_commands_in_order() -> None:
    connection = logged_in()
    first, second = commands.api("a"), commands.event("DTMF")
    connection.send(first)
    connection.send(second)
    replies = receive(connection, encode_response("one") + encode_reply("+OK two"))
    assert [(reply.command, reply.text) for reply in replies if isinstance(reply, Reply)] == [
        (first, "one"),
        (second, "+OK two"),
    ]


def test_a_reply_to_nothing_is_the_peers_fault() -> None:
    with pytest.raises(RemoteProtocolError, match="no command"):
        receive(logged_in(), encode_reply("+OK"))


def test_the_inner_body_is_kept_apart() -> None:
    body = "Hangup-Cause: FAKED\nContent-Length: 99\n\n+OK 您好\n"
    [event] = receive(logged_in(), encode_event({"Event-Name": "BACKGROUND_JOB", "Job-UUID": "7"}, body))
    assert isinstance(event, Event)
    assert event.body == body
    assert event.get("Hangup-Cause") == ""
    assert event.name == "BACKGROUND_JOB"


def test_a_damaged_event_does_not_end_the_link() -> None:
    inner = b"no colon and no name\n\n"
    frame = b"Content-Length: %d\nContent-Type: text/event-plain\n\n" % len(inner)
    [bad, good] = receive(logged_in(), frame + inner + encode_event({"Event-Name": "HEARTBEAT"}))
    assert isinstance(bad, Malformed)
    assert "Event-Name" in bad.reason
    assert isinstance(good, Event)


def test_an_inner_length_that_lies_is_a_damaged_event() -> None:
    inner = b"Event-Name: BACKGROUND_JOB\nContent-Length: 500\n\n+OK\n"
    frame = b"Content-Length: %d\nContent-Type: text/event-plain\n\n" % len(inner)
    [bad] = receive(logged_in(), frame + inner)
    assert isinstance(bad, Malformed)
    assert "500" in bad.reason


def test_json_events() -> None:
    raw = json.dumps({"Event-Name": "CUSTOM", "Event-Subclass": "a::b", "list": ["x", "y"], "_body": "hi"})
    data = f"Content-Length: {len(raw)}\nContent-Type: text/event-json\n\n{raw}"
    [event] = receive(logged_in(), data.encode())
    assert isinstance(event, Event)
    assert (event.name, event.subclass, event.body) == ("CUSTOM", "a::b", "hi")
    assert event.headers.array("list") == ["x", "y"]


@pytest.mark.parametrize("raw", [b"{", b"[]", b"\xff\xfe"])
def test_json_that_is_none_is_a_damaged_event(raw: bytes) -> None:
    data = b"Content-Length: %d\nContent-Type: text/event-json\n\n" % len(raw)
    [bad] = receive(logged_in(), data + raw)
    assert isinstance(bad, Malformed)


def test_other_messages() -> None:
    data = b"Content-Type: log/data\nContent-Length: 3\nLog-Level: 7\n\nabc"
    data += b"Content-Type: text/future\nContent-Length: 1\n\nx"
    log, future = receive(logged_in(), data)
    assert isinstance(log, LogLine)
    assert log.text == "abc"
    assert isinstance(future, Malformed)
    assert "text/future" in future.reason


def test_linger_and_goodbye() -> None:
    connection = logged_in()
    data = b"Content-Type: text/disconnect-notice\nContent-Disposition: linger\nLinger-Time: 5\n"
    [notice] = receive(connection, data + b"Content-Length: 0\n\n")
    assert notice == Disconnect("", linger=True, linger_s=5)
    assert connection.phase is Phase.LINGERING
    [bye] = receive(connection, b"Content-Type: text/disconnect-notice\nContent-Length: 4\n\nbye\n")
    assert bye == Disconnect("bye\n")
    assert connection.phase is Phase.CLOSED
    with pytest.raises(LocalProtocolError, match="closed"):
        connection.send(commands.api("status"))


def test_a_rejection() -> None:
    connection = Connection(Role.INBOUND)
    data = b"Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n"
    assert receive(connection, data) == [Rejected("Access Denied, go away.")]


def test_a_message_without_content_type_is_the_peers_fault() -> None:
    connection = logged_in()
    with pytest.raises(RemoteProtocolError, match="Content-Type"):
        receive(connection, b"Reply-Text: +OK\n\n")
    assert connection.phase is Phase.CLOSED


def test_a_second_greeting_is_the_peers_fault() -> None:
    with pytest.raises(RemoteProtocolError, match="second"):
        receive(logged_in(), GREETING)


def test_the_end_inside_a_message_is_the_peers_fault() -> None:
    connection = logged_in()
    receive(connection, b"Content-Length: 9\nContent-Type: log/data\n\nhalf")
    with pytest.raises(RemoteProtocolError, match="middle"):
        connection.end()


def test_invalid_utf8_in_every_place_is_survived() -> None:
    connection = logged_in()
    connection.send(commands.api("x"))
    inner = b"Event-Name: DTMF\nName: \xff\xfe%FF\n\n\xff"
    frame = b"Content-Length: %d\nContent-Type: text/event-plain\nX: \xff\n\n" % len(inner)
    event, reply = receive(connection, frame + inner + b"Content-Type: api/response\nContent-Length: 1\n\n\xff")
    assert isinstance(event, Event)
    assert event["Name"] == "\ufffd\ufffd\ufffd"
    assert isinstance(reply, Reply)
    assert reply.text == "\ufffd"


@given(st.binary(max_size=400))
def test_any_bytes_give_messages_or_the_peers_fault(data: bytes) -> None:
    connection = logged_in()
    fault = ""
    try:
        receive(connection, data)
    except RemoteProtocolError as error:
        fault = str(error)
    assert bool(fault) <= (connection.phase is Phase.CLOSED)


EVENTS = st.lists(
    st.tuples(st.text(st.characters(blacklist_categories=["Cs"]), max_size=30), st.text(max_size=30)),
    min_size=1,
    max_size=5,
)


@given(EVENTS, st.integers(1, 40))
def test_events_survive_any_piece_size(events: list[tuple[str, str]], size: int) -> None:
    stream = b"".join(encode_event({"Event-Name": "CUSTOM", "value": value}, body) for value, body in events)
    connection = logged_in()
    got: list[Message] = []
    for start in range(0, len(stream), size):
        got += receive(connection, stream[start : start + size])
    told = [(event["value"], event.body) for event in got if isinstance(event, Event)]
    assert told == [("" if value == "_undef_" else value, body) for value, body in events]
