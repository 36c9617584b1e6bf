"""Header blocks: split first, decode afterwards, ignore case, first one counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl.errors import RemoteProtocolError
from esl.headers import Headers
from esl.testing import encode_event


def test_a_newline_in_a_value_makes_no_header() -> None:
    headers = Headers.lazy("Caller-Name: x%0AHangup-Cause: FAKED\nEvent-Name: DTMF")
    assert headers["Caller-Name"] == "x\nHangup-Cause: FAKED"
    assert "Hangup-Cause" not in headers


@pytest.mark.parametrize("mark", ["\u2028", "\u0085", "\x1c", "\x0b", "\x0c"])
def test_only_a_newline_ends_a_line(mark: str) -> None:
    assert dict(Headers.parse(f"A: x{mark}B: y")) == {"A": f"x{mark}B: y"}


def test_names_ignore_case() -> None:
    headers = Headers.parse("Unique-ID: 7")
    assert headers["unique-id"] == headers["UNIQUE-ID"] == "7"
    assert headers.get("Unique_ID") is None


def test_the_first_of_a_repeated_name_counts() -> None:
    headers = Headers.lazy("A: real\nB: 1\nA: forged")
    assert headers["A"] == "real"
    assert len(headers) == 2


def test_undefined_values_are_empty() -> None:
    assert Headers.lazy("A: _undef_")["A"] == ""
    assert Headers.parse("A: _undef_")["A"] == "_undef_"


def test_values_of_replies_are_not_decoded() -> None:
    assert Headers.parse("Reply-Text: +OK 100%25")["Reply-Text"] == "+OK 100%25"


def test_invalid_utf8_is_marked_not_fatal() -> None:
    assert Headers.lazy("A: M%FCller")["A"] == "M\ufffdller"


def test_carriage_returns_and_missing_spaces() -> None:
    assert dict(Headers.parse("A: 1\r\nB:2\r")) == {"A": "1", "B": "2"}


def test_a_value_may_hold_colons() -> None:
    assert Headers.parse("sip: sip:a@b:5060: x")["sip"] == "sip:a@b:5060: x"


def test_a_missing_name_is_a_key_error_with_its_own_name() -> None:
    with pytest.raises(KeyError, match="Missing"):
        Headers.parse("A: 1")["Missing"]


def test_a_line_without_colon_is_refused() -> None:
    with pytest.raises(RemoteProtocolError, match="'forged'"):
        Headers.parse("A: 1\nforged")


def test_in_an_event_a_line_without_colon_carries_no_header() -> None:
    assert Headers.lazy("A: 1\nforged\nB: 2").to_dict() == {"A": "1", "B": "2"}


def test_arrays() -> None:
    headers = Headers.lazy("many: ARRAY::a|:b%20c\none: x")
    assert headers.array("many") == ["a", "b c"]
    assert headers.array("one") == ["x"]
    assert headers.array("none") == []


NAMES = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=8).map(lambda x: "h" + x)
TEXT = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=40)


@given(st.dictionaries(NAMES, TEXT.filter(lambda value: value != "_undef_"), min_size=1, max_size=6))
def test_what_freeswitch_encodes_comes_back(values: dict[str, str]) -> None:
    inner = encode_event(values).split(b"\n\n", 1)[1].decode().rstrip("\n")
    assert dict(Headers.lazy(inner)) == values
