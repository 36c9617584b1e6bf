"""Text to the numbers that a model was trained on, without coqui: what an exported model needs.

It repeats coqui's ``TTSTokenizer`` for models of letters and for Mandarin phonemes; the export
compares both before it writes anything.  Pure, save for the lazy import of pypinyin.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CLEANERS = ("", "no_cleaners", "basic_cleaners", "chinese_mandarin_cleaners")
PHONEMISERS = ("", "zh_cn_phonemizer")
_MANDARIN_PUNCTUATION = re.compile(rf"(\s*[{re.escape('、.,[]()?!〽~『』「」【】')}]+\s*)+")


@dataclass(frozen=True, slots=True)
class Signs:
    """``signs``: character to number.  ``blank`` stands between all signs (None: nothing does).

    ``words``: ``jieba`` when the model's text was cut into words before it was exported.
    """

    signs: Mapping[str, int]
    cleaner: str = ""
    phonemiser: str = ""
    pinyin: Mapping[str, str] | None = None
    blank: int | None = None
    start: int | None = None
    end: int | None = None
    words: str = ""

    def numbers(self, text: str) -> list[int]:
        """The numbers of ``text``; signs that the model does not know are left out."""
        written = _cleaned(text, self.cleaner)
        if self.phonemiser:
            written = self._phonemes(written)
        found = [self.signs[char] for char in written if char in self.signs]
        if self.blank is not None:
            found = [number for sign in found for number in (self.blank, sign)] + [self.blank]
        if self.start is not None and self.end is not None:
            found = [self.start, *found, self.end]
        return found

    def knows(self, text: str) -> bool:
        """Whether a letter of ``text`` is known."""
        written = self._phonemes(text) if self.phonemiser else _cleaned(text, self.cleaner)
        return any(char in self.signs and char.isalnum() for char in written)

    def _phonemes(self, text: str) -> str:
        """As coqui's ``chinese_text_to_phonemes``: pinyin with tones, by its table."""
        plain = _MANDARIN_PUNCTUATION.sub(" ", text.strip()).strip()
        pypinyin: Any = importlib.import_module("pypinyin")
        style = pypinyin.Style.TONE3
        words = " ".join(cut_words(plain)) if self.words else plain
        syllables = pypinyin.pinyin(words, style=style, heteronym=False, neutral_tone_with_five=True)
        return "".join(self._syllable(part) for syllable in syllables for part in syllable)

    def _syllable(self, syllable: str) -> str:
        if syllable[-1:] not in tuple("12345"):
            return syllable
        return (self.pinyin or {}).get(syllable[:-1], "") + syllable[-1]


def cut_words(text: str) -> list[str]:
    """The words of ``text`` by jieba; all of it as one where jieba is not installed."""
    if not has_jieba():
        return [text]
    found: list[str] = importlib.import_module("jieba").lcut(text)
    return found


def has_jieba() -> bool:
    """Whether jieba is installed."""
    return importlib.util.find_spec("jieba") is not None


def _cleaned(text: str, cleaner: str) -> str:
    if cleaner in ("", "no_cleaners"):
        return text
    text = unicodedata.normalize("NFC", text)
    if cleaner == "basic_cleaners":
        return re.sub(r"\s+", " ", text.lower()).strip()
    return text
