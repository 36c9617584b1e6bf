"""The worker's wire: any cut, any order, nothing that is not ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agi_bot.speech.worker.wire import MAX_PAYLOAD, Decoder, Kind, Message

messages = st.lists(
    st.builds(Message, st.sampled_from(Kind), st.integers(0, 2**32 - 1), st.binary(max_size=40)), max_size=6
)


@given(messages)
def test_comes_back_the_same_whole(sent: list[Message]) -> None:
    assert Decoder().feed(b"".join(message.encode() for message in sent)) == sent


@given(messages)
def test_comes_back_the_same_byte_by_byte(sent: list[Message]) -> None:
    decoder = Decoder()
    data = b"".join(message.encode() for message in sent)
    assert [m for index in range(len(data)) for m in decoder.feed(data[index : index + 1])] == sent


def test_half_a_message_waits() -> None:
    decoder, data = Decoder(), Message(Kind.SOUND, 7, b"abcd").encode()
    assert decoder.feed(data[:-1]) == []
    assert decoder.feed(data[-1:]) == [Message(Kind.SOUND, 7, b"abcd")]


@pytest.mark.parametrize(
    "data", [b"HTTP/1.1 200 OK\r\n", b"\0" * 9, (MAX_PAYLOAD + 1).to_bytes(4, "little") + b"\5" + bytes(4)]
)
def test_foreign_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"longer than|is not a valid Kind"):
        Decoder().feed(data)
