"""Text made fit for a voice: cleaned, written out in words, cut into sentences.  Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from agi_bot.errors import SpeechError
from agi_bot.spoken import speakable

LONGEST = 5000
"""Characters of one text; a longer one is refused."""

SENTENCE_LONGEST = 120
"""Characters of a piece that an engine gets at once."""

SENTENCE_PAUSE_MS = 320
CLAUSE_PAUSE_MS = 160

_TAG = re.compile(r"</?[A-Za-z!?][^<>]{0,200}>")
_ENDS = "。！？；!?;…\n"
_CLAUSE_ENDS = "，、：,:"
_BOUNDARY = re.compile(rf"[{_ENDS}]+[”’」』）)\"']*|\.+(?=\s|$)[”’\"']*")
_CLAUSE = re.compile(rf"[{_CLAUSE_ENDS}]+[”’」』）)]*(?:\s+|(?<=[，、：])|$)")
_DROPPED = {"Cc", "Cf", "Cs", "Co", "Cn", "So", "Sk", "Mn"}


@dataclass(frozen=True, slots=True)
class Piece:
    """Text for one go of an engine and the pause after it, ms."""

    text: str
    pause_ms: int


def clean(text: str) -> str:
    """``text`` without tags, control characters and emoji, with single spaces.

    A line break stays one: it ends a sentence.
    """
    text = unicodedata.normalize("NFC", _TAG.sub(" ", text))
    kept = "".join(_kept(char) for char in text)
    return re.sub(r"\s*\n\s*", "\n", re.sub(r"[^\S\n]+", " ", kept)).strip()


def check(text: str) -> None:
    """Raises :class:`SpeechError` for a text without a letter or digit and for one of more than 5,000 characters."""
    if len(text) > LONGEST:
        raise SpeechError(
            f"a text of {len(text)} characters is too long to be spoken",
            cure=f"at most {LONGEST}; say less at once",
        )
    if not sayable(clean(text)):
        raise SpeechError(f"there is nothing to speak in {_quoted(text)}")


def prepared(text: str, language: str) -> str:
    """What a voice of ``language`` is to say for ``text``: words only.

    Raises :class:`SpeechError` as :func:`check` does.
    """
    check(text)
    return speakable(clean(text), language)


def pieces(text: str) -> list[Piece]:
    """``text`` cut at the ends of its sentences; a long sentence also at its commas, or anywhere."""
    return [piece for sentence in sentences(text) for piece in _short(sentence)]


def sentences(text: str) -> list[str]:
    """``text`` cut after ``。！？；!?;…``, after a full stop before a space, and at line ends."""
    return [part for part in _cut(text, _BOUNDARY) if sayable(part)]


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Where the sentences of ``text`` begin and end; together they cover all of it."""
    return _spans(text, _BOUNDARY)


def clause_spans(text: str) -> list[tuple[int, int]]:
    """Where the parts between commas and colons begin and end; together they cover all of ``text``."""
    return _spans(text, _CLAUSE)


def sayable(text: str) -> bool:
    """Whether ``text`` holds a letter or a digit."""
    return any(char.isalnum() for char in text)


def pause_after(text: str) -> int:
    """The pause that the end of ``text`` asks for, ms; 0 inside a clause."""
    end = text.rstrip("”’」』）)\"' ")[-1:]
    if end and end in _ENDS + ".":
        return SENTENCE_PAUSE_MS
    return CLAUSE_PAUSE_MS if end and end in _CLAUSE_ENDS else 0


def _short(sentence: str) -> Iterator[Piece]:
    """``sentence`` in pieces of at most 120 characters, as few as its commas allow."""
    if len(sentence) <= SENTENCE_LONGEST:
        yield Piece(sentence, SENTENCE_PAUSE_MS)
        return
    gathered = ""
    for part in _hard(_cut(sentence, _CLAUSE)):
        if gathered and len(gathered) + len(part) > SENTENCE_LONGEST:
            if sayable(gathered):
                yield Piece(gathered.strip(), CLAUSE_PAUSE_MS)
            gathered = ""
        gathered += part
    if sayable(gathered):
        yield Piece(gathered.strip(), SENTENCE_PAUSE_MS)


def _hard(parts: list[str]) -> Iterator[str]:
    for part in parts:
        while len(part) > SENTENCE_LONGEST:
            space = part.rfind(" ", 1, SENTENCE_LONGEST)
            end = space + 1 if space > 0 else SENTENCE_LONGEST
            yield part[:end]
            part = part[end:]
        yield part


def _cut(text: str, boundary: re.Pattern[str]) -> list[str]:
    return [text[start:end].strip("\n") for start, end in _spans(text, boundary)]


def _spans(text: str, boundary: re.Pattern[str]) -> list[tuple[int, int]]:
    cuts = [0, *(match.end() for match in boundary.finditer(text)), len(text)]
    return [(start, end) for start, end in pairwise(cuts) if start < end]


def _kept(char: str) -> str:
    if char in "\n\t ":
        return "\n" if char == "\n" else " "
    if "\uff10" <= char <= "\uff5a" and char.isalnum():
        return chr(ord(char) - 0xFEE0)  # full-width letters and digits
    return " " if unicodedata.category(char) in _DROPPED and char not in "°℃" else char


def _quoted(text: str) -> str:
    return f"{text[:40]!r}" + (" ..." if len(text) > 40 else "")
