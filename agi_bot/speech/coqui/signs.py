"""Text to the numbers that a model was trained on, without coqui: what an exported model needs.

It repeats coqui's ``TTSTokenizer`` for models of letters, of Mandarin phonemes and of those of
espeak-ng (English and others); the export compares both before it writes anything.  Pure,
save for pypinyin and libespeak-ng, which are loaded when they are needed.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_LOWERING = ("basic_cleaners", "english_cleaners")
_PLAIN = ("english_cleaners", "phoneme_cleaners", "multilingual_phoneme_cleaners")
"""Cleaners that leave only marks that are heard."""
CLEANERS = ("", "no_cleaners", "chinese_mandarin_cleaners", "basic_cleaners", *_PLAIN)
ESPEAK, MANDARIN = "espeak", "zh_cn_phonemizer"
PHONEMISERS = ("", MANDARIN, ESPEAK)
_MANDARIN_PUNCTUATION = re.compile(rf"(\s*[{re.escape('、.,[]()?!〽~『』「」【】')}]+\s*)+")


@dataclass(frozen=True, slots=True)
class Signs:
    """``signs``: character to number.  ``blank`` stands between all signs (None: nothing does).

    ``words``: ``jieba`` when the model's text was cut into words before it was exported.
    ``voice`` and ``marks`` belong to espeak-ng: the voice whose phonemes they are, and the
    punctuation that is kept between them.
    """

    signs: Mapping[str, int]
    cleaner: str = ""
    phonemiser: str = ""
    pinyin: Mapping[str, str] | None = None
    blank: int | None = None
    start: int | None = None
    end: int | None = None
    words: str = ""
    voice: str = ""
    marks: str = ""

    def numbers(self, text: str) -> list[int]:
        """The numbers of ``text``; signs that the model does not know are left out."""
        found = [self.signs[char] for char in self._written(text) if char in self.signs]
        if self.blank is not None:
            found = [number for sign in found for number in (self.blank, sign)] + [self.blank]
        if self.start is not None and self.end is not None:
            found = [self.start, *found, self.end]
        return found

    def knows(self, text: str) -> bool:
        """Whether a letter of ``text`` is known."""
        return any(char in self.signs and char.isalnum() for char in self._written(text))

    def _written(self, text: str) -> str:
        cleaned = _cleaned(text, self.cleaner)
        if self.phonemiser == ESPEAK:
            return self._espeak(cleaned)
        return self._mandarin(cleaned) if self.phonemiser else cleaned

    def _espeak(self, text: str) -> str:
        """As coqui's ``ESpeak``: what lies between two marks becomes phonemes, the marks stay."""
        library: Any = importlib.import_module("agi_bot.speech.espeak.phonemes").phonemes()
        parts = re.split(rf"((?:\s*[{re.escape(self.marks)}]+\s*)+)", text.strip())
        spoken = (part if index % 2 else _plain(library.lines(part, self.voice)) for index, part in enumerate(parts))
        return "".join(spoken)

    def _mandarin(self, text: str) -> str:
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


def _plain(lines: list[str]) -> str:
    """Phonemes without what separates them and without ``(en)``, which marks foreign words."""
    return "".join(re.sub(r"\(.+?\)", "", line).strip() for line in lines).replace("_", "")


def _cleaned(text: str, cleaner: str) -> str:
    """As the cleaner of that name does it with words; digits never come here."""
    if not cleaner:
        return text
    if cleaner == "no_cleaners":
        return text.replace("\n", "")
    text = unicodedata.normalize("NFC", text)
    text = text.lower() if cleaner in _LOWERING else text
    if cleaner in _PLAIN:
        text = re.sub(r'[<>()\[\]"]+', "", text.translate(_SOFTER))
    return text if cleaner == "chinese_mandarin_cleaners" else re.sub(r"\s+", " ", text).strip()


_SOFTER = str.maketrans({";": ",", ":": ",", "-": " "})
