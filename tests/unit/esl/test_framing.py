"""Bytes to frames, in pieces of any size."""

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl.errors import RemoteProtocolError
from esl.framing import MAX_BODY_BYTES, MAX_HEADER_BYTES, Framer, RawFrame


def cut(*pieces: bytes) -> list[RawFrame]:
    framer = Framer()
    frames: list[RawFrame] = []
    for piece in pieces:
        framer.feed(piece)
        frames += framer.frames()
    return frames


def test_a_frame_without_length_has_no_body() -> None:
    [frame] = cut(b"Content-Type: auth/request\n\n")
    assert dict(frame.headers) == {"Content-Type": "auth/request"}
    assert frame.body == b""


def test_the_length_counts_bytes_not_characters() -> None:
    body = "您好".encode()
    assert [frame.body for frame in cut(b"Content-Length: 6\n\n" + body + b"X: 1\n\n")] == [body, b""]


def test_frames_follow_each_other_without_a_gap() -> None:
    frames = cut(b"A: 1\n\nContent-Length: 2\n\nhiB: 2\n\n")
    assert [list(frame.headers) for frame in frames] == [["A"], ["Content-Length"], ["B"]]


def test_blank_lines_between_frames_are_skipped() -> None:
    assert len(cut(b"\n\r\n\nA: 1\n\n\n\nB: 2\n\n")) == 2


def test_a_body_that_looks_like_a_frame_stays_a_body() -> None:
    body = b"Content-Type: auth/request\n\nReply-Text: +OK\n\n"
    frames = cut(b"Content-Length: %d\n\n" % len(body) + body)
    assert [frame.body for frame in frames] == [body]


@pytest.mark.parametrize("length", [b"-1", b"1x", b"", b"1e3", "三".encode(), b"+5", b"1 2"])
def test_a_length_that_is_no_number_is_the_peers_fault(length: bytes) -> None:
    with pytest.raises(RemoteProtocolError, match="Content-Length"):
        cut(b"Content-Length: " + length + b"\n\n")


def test_a_length_beyond_reason_is_refused_before_the_memory_is_full() -> None:
    with pytest.raises(RemoteProtocolError, match="more than"):
        cut(b"Content-Length: %d\n\n" % (MAX_BODY_BYTES + 1))
    with pytest.raises(RemoteProtocolError, match="more than"):
        cut(b"Content-Length: " + b"9" * 5000 + b"\n\n")


def test_a_header_block_without_end_is_refused() -> None:
    with pytest.raises(RemoteProtocolError, match="header block"):
        cut(b"A: " + b"x" * MAX_HEADER_BYTES)


def test_a_line_without_colon_is_refused() -> None:
    with pytest.raises(RemoteProtocolError, match="colon"):
        cut(b"Content-Type: command/reply\nforged\n\n")


def test_what_came_before_a_fault_is_given_out() -> None:
    framer = Framer()
    framer.feed(b"A: 1\n\nno colon here\n\n")
    frames = framer.frames()
    assert dict(next(frames).headers) == {"A": "1"}
    with pytest.raises(RemoteProtocolError):
        next(frames)


def test_partial_tells_an_end_inside_a_frame() -> None:
    framer = Framer()
    framer.feed(b"Content-Length: 5\n\nab")
    assert list(framer.frames()) == []
    assert framer.partial
    framer.feed(b"cde\n")
    assert len(list(framer.frames())) == 1
    assert not framer.partial


NAMES = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=12)
VALUES = st.text(st.characters(blacklist_characters="\r\n", blacklist_categories=["Cs"]), max_size=30)
FRAMES = st.lists(st.tuples(st.dictionaries(NAMES, VALUES, max_size=4), st.binary(max_size=60)), max_size=6)


def build(headers: dict[str, str], body: bytes) -> bytes:
    lines = "".join(f"{name}: {value}\n" for name, value in headers.items() if name != "Content-Length")
    return f"X: y\n{lines}Content-Length: {len(body)}\n\n".encode() + body


@given(FRAMES, st.data())
def test_any_split_gives_the_same_frames(frames: list[tuple[dict[str, str], bytes]], data: st.DataObject) -> None:
    stream = b"".join(build(headers, body) for headers, body in frames)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    edges = [0, *cuts, len(stream)]
    pieces = [stream[a:b] for a, b in pairwise(edges)]
    assert [frame.body for frame in cut(*pieces)] == [body for _, body in frames]


@given(st.binary(max_size=300))
def test_any_bytes_end_in_frames_or_in_the_peers_fault(data: bytes) -> None:
    with suppress(RemoteProtocolError):
        cut(data)
