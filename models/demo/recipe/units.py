"""The sound units of the net, from espeak-ng's phoneme names; words to units.

Mandarin units start with ``z_``, English ones with ``e_``: one net hears both, and a unit also
says which language it is. Tone is left out: espeak-ng does not name it in its events.
"""

from collections.abc import Sequence

from .espeak import Sound, Utterance
from .phrases import Language, Words

SILENCE = "SIL"


def _names(listed: str) -> tuple[str, ...]:
    return tuple(listed.split())


_ZH = _names(
    "n N i j u A @ tS; t s. iE w Au S; ts. p l X a k f i. tS;h ts.h th ong o- iA m y ai ei ts ou "
    "uo z. s kh i[ ph tsh iou uei u@ ua yE o y& @r y@ uai nn N-"
)
_EN = _names(
    "p b t d k g f v T D s z S h tS dZ m n N l r w j i: I E a V 0 A: O: O@ U u: 3 3: @ eI aI OI oU aU i@ e@ A@ U@"
)
_ZH_VOWELS = frozenset(u for u in _ZH if u[0] in "iuAaeoy@") | {"N-"}

_ZH_MERGED: dict[str, tuple[str, ...]] = {"u:": ("u",), ";": (), "yi": ("y",), "y@n": ("y@", "nn")}
_EN_MERGED: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("t#", "t2", "t[", "?", "t-"), ("t",)),
    **dict.fromkeys(("I2", "I#", "I3"), ("I",)),
    **dict.fromkeys(("@2", "@-", "a#", "@5"), ("@",)),
    **dict.fromkeys(("aa", "&", "a2"), ("a",)),
    **dict.fromkeys(("i", "i2"), ("i:",)),
    **dict.fromkeys(("O2", "O", "0#", "O3"), ("O:",)),
    **dict.fromkeys(("o@", "O@r"), ("O@",)),
    **dict.fromkeys(("E2", "E#"), ("E",)),
    **dict.fromkeys(("r-", "r/", "R"), ("r",)),
    **dict.fromkeys(("n-",), ("n",)),
    **dict.fromkeys(("d#", "D2"), ("d",)),
    **dict.fromkeys(("z#",), ("z",)),
    "i@3": ("i@",),
    "aI3": ("aI", "3"),
    "aI@": ("aI", "@"),
    "aU@": ("aU", "@"),
    "@L": ("@", "l"),
    "l#": ("l",),
    "Z": ("dZ",),
    "V#": ("V",),
    "aI2": ("aI",),
    "IR": ("3:",),
    "VR": ("3:",),
    "w#": ("w",),
    "U2": ("U",),
    ";": (),
}

UNITS: tuple[str, ...] = (SILENCE, *(f"z_{u}" for u in _ZH), *(f"e_{u}" for u in _EN))
INDEX: dict[str, int] = {unit: index for index, unit in enumerate(UNITS)}

Timed = tuple[str, int, int]
"""A unit, the 0-based position of its word in the text, its start in ms."""


class UnknownSoundError(ValueError):
    """espeak-ng used a sound (or another language's voice) that no unit stands for."""


def _merged(sound: Sound, language: Language) -> list[str]:
    if language == "zh":
        known, merged = _ZH, _ZH_MERGED
    else:
        known, merged = _EN, _EN_MERGED
    name = sound.mnemonic
    parts = merged.get(name, (name,))
    if any(part not in known for part in parts):
        raise UnknownSoundError(f"{language}: {name}")
    return [f"{language[0]}_{part}" for part in parts]


def timed_units(utterance: Utterance, language: Language) -> list[Timed]:
    """The units of an utterance; a short pause goes to the sound after it (a stop's closure).

    Raises UnknownSoundError.
    """
    units: list[Timed] = []
    closure: int | None = None
    for sound in utterance.sounds:
        if sound.mnemonic == "_|":
            closure = sound.start_ms
        elif sound.mnemonic.startswith("_"):
            start = sound.start_ms if closure is None else closure
            units.append((SILENCE, sound.character, start))
            closure = None
        else:
            start = sound.start_ms if closure is None else closure
            units += _spread(_merged(sound, language), sound.character, start)
            closure = None
    return _name_codas(units) if language == "zh" else units


def _spread(names: Sequence[str], character: int, start: int) -> list[Timed]:
    """Two units for one sound: the second starts 40 ms later."""
    return [(name, character, start + 40 * index) for index, name in enumerate(names)]


def _is_vowel(unit: str) -> bool:
    return unit[2:] in _ZH_VOWELS


def _name_codas(units: list[Timed]) -> list[Timed]:
    """Call an ``n`` that ends a syllable ``nn``: it sounds unlike one that begins it."""
    named = list(units)
    for index in range(1, len(units)):
        unit, character, start = units[index]
        following = units[index + 1][0] if index + 1 < len(units) else SILENCE
        ends = following == "z_@r" or not _is_vowel(following)
        if unit == "z_n" and _is_vowel(units[index - 1][0]) and ends:
            named[index] = ("z_nn", character, start)
    return named


def word_units(words: Words, text: str, units: list[Timed], language: Language) -> list[Words]:
    """The units of each word of an utterance; empty if they cannot be told apart."""
    spoken = [unit for unit in units if unit[0] != SILENCE]
    if language == "zh":
        return _words_by_syllable(words, text, spoken)
    return _words_by_position(words, text, spoken)


def _words_by_position(words: Words, text: str, units: list[Timed]) -> list[Words]:
    starts, position = [], 0
    for word in words:
        position = text.index(word, position)
        starts.append(position)
        position += len(word)
    split: list[list[str]] = [[] for _ in words]
    for unit, character, _ in units:
        if character not in starts:
            return []
        split[starts.index(character)].append(unit)
    return [tuple(part) for part in split] if all(split) else []


def _words_by_syllable(words: Words, text: str, units: list[Timed]) -> list[Words]:
    syllables = _syllables([unit for unit, _, _ in units])
    if len(syllables) != sum(len(word) for word in words):
        return []
    split, position = [], 0
    for word in words:
        part = syllables[position : position + len(word)]
        split.append(tuple(unit for syllable in part for unit in syllable))
        position += len(word)
    return split


def _syllables(units: list[str]) -> list[list[str]]:
    """Cut before the sounds that begin a syllable: everything between two vowels but codas."""
    syllables: list[list[str]] = []
    open_syllable = False
    for unit in units:
        coda = unit in ("z_nn", "z_N")
        if not open_syllable and syllables and coda:
            syllables[-1].append(unit)
        elif open_syllable:
            syllables[-1].append(unit)
            open_syllable = not _is_vowel(unit)
        else:
            syllables.append([unit])
            open_syllable = not _is_vowel(unit)
    return syllables
