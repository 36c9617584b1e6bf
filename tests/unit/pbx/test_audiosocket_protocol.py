"""The AudioSocket parser: recorded bytes at every split, damaged bytes, random bytes."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agi_bot.audio import Frame
from agi_bot.contracts import Digit
from agi_bot.errors import ProtocolError
from agi_bot.pbx.audiosocket.protocol import (
    KEYS,
    RATES,
    Failure,
    HangUp,
    Hello,
    Message,
    Parser,
    encode,
    header,
)

RECORDED = next((Path(__file__).parents[2] / "data/asterisk").glob("audiosocket-*.bin")).read_bytes()
HELLO = encode(Hello(UUID(int=7)))


def parse(*pieces: bytes) -> list[Message]:
    parser = Parser()
    messages: list[Message] = []
    for piece in pieces:
        parser.receive(piece)
        messages += parser.messages()
    return messages


def test_a_recorded_call_of_asterisk_22() -> None:
    messages = parse(RECORDED)
    assert messages[0] == Hello(UUID("5f0c1a52-3c52-4c13-9d0b-0a2f4d1a7e11"))
    assert [message for message in messages if isinstance(message, Digit)] == [Digit("5"), Digit("#")]
    frames = [message for message in messages if isinstance(message, Frame)]
    assert len(frames) > 30
    assert {(len(frame.pcm), frame.rate) for frame in frames} == {(320, 8000)}


def test_a_recorded_call_split_at_every_byte() -> None:
    whole = parse(RECORDED)
    short = RECORDED[:2000]
    expected = parse(short)
    assert whole[: len(expected)] == expected
    for split in range(len(short) + 1):
        assert parse(short[:split], short[split:]) == expected


def test_a_recorded_call_byte_by_byte() -> None:
    assert parse(*(bytes((byte,)) for byte in RECORDED)) == parse(RECORDED)


@pytest.mark.parametrize("end", [1, 2, 3, 10, 18, 20, 25, 341])
def test_a_connection_that_ends_in_mid_message_is_told(end: int) -> None:
    parser = Parser()
    parser.receive(RECORDED[:end])
    list(parser.messages())
    with pytest.raises(ProtocolError, match="ended after"):
        parser.end()


def test_a_connection_that_ends_between_messages_is_in_order() -> None:
    parser = Parser()
    parser.receive(HELLO)
    list(parser.messages())
    parser.end()


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"GET / HTTP/1.1\r\n", "first message must be the UUID"),
        (encode(Digit("1")), "first message must be the UUID"),
        (b"\x01\x00\x0f" + bytes(15), "kind 0x01 cannot have a payload of 15 bytes"),
        (HELLO + HELLO, "message 2 at byte 19: a second UUID"),
        (HELLO + b"\x42\x00\x01\x00", "kind 0x42 is unknown"),
        (HELLO + b"\x10\x00\x00", "sound .* of 0 bytes"),
        (HELLO + b"\x10\x00\x03abc", "3 bytes, which is not a number of 16-bit samples"),
        (HELLO + b"\x10\xff\xfe", "65534 bytes, more than 8000"),
        (HELLO + b"\x03\x00\x01x", "0x78 is not a DTMF key"),
        (HELLO + b"\x03\x00\x02\x31\x32", "cannot have a payload of 2 bytes"),
        (HELLO + b"\x00\x00\x01\x00", "kind 0x00 cannot have a payload of 1 bytes"),
    ],
)
def test_what_the_protocol_forbids_is_told_with_its_place(data: bytes, what: str) -> None:
    with pytest.raises(ProtocolError, match=what):
        parse(data)


def test_a_wrong_header_is_told_before_its_payload_has_come() -> None:
    with pytest.raises(ProtocolError, match="65534 bytes"):
        parse(HELLO, b"\x10\xff\xfe")


def test_what_came_before_a_fault_is_given_out_and_the_fault_stays() -> None:
    parser = Parser()
    parser.receive(HELLO + encode(Digit("7")) + b"\x99\x00\x00" + encode(Digit("8")))
    messages = parser.messages()
    assert [next(messages), next(messages)] == [Hello(UUID(int=7)), Digit("7")]
    with pytest.raises(ProtocolError, match="message 3"):
        next(messages)
    with pytest.raises(ProtocolError, match="0x99"):
        list(parser.messages())


def test_a_rate_that_audiosocket_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="11025"):
        header(11025, 320)


sounds = st.binary(min_size=1, max_size=400).map(lambda pcm: pcm * 2)
any_message = st.one_of(
    st.builds(Digit, st.sampled_from(KEYS)),
    st.builds(Frame, sounds, st.sampled_from([*RATES.values()])),
    st.builds(Failure, st.integers(0, 255)),
    st.just(HangUp()),
)


@given(st.lists(any_message, max_size=8), st.lists(st.integers(0, 4000), max_size=6))
def test_whatever_is_encoded_comes_back_however_it_is_cut(sent: list[Message], cuts: list[int]) -> None:
    uuid = uuid4()
    stream = b"".join(map(encode, [Hello(uuid), *sent]))
    places = sorted({0, len(stream), *(min(cut, len(stream)) for cut in cuts)})
    pieces = [stream[start:end] for start, end in pairwise(places)]
    assert parse(*pieces) == [Hello(uuid), *sent]


@given(st.binary(max_size=2000))
def test_random_bytes_give_messages_or_our_error(data: bytes) -> None:
    for prefix in (b"", HELLO):
        with suppress(ProtocolError):
            parse(prefix + data)


@given(st.data())
def test_a_damaged_recording_gives_messages_or_our_error(data: st.DataObject) -> None:
    stream = bytearray(RECORDED[:1500])
    for _ in range(data.draw(st.integers(1, 5))):
        stream[data.draw(st.integers(0, len(stream) - 1))] = data.draw(st.integers(0, 255))
    with suppress(ProtocolError):
        parse(bytes(stream))
