"""Which espeak-ng voices the model learns from, and which it never hears before the evaluation."""

import random

from .espeak import Manner
from .phrases import Language

_ACCENTS: dict[Language, tuple[str, ...]] = {
    "zh": ("cmn",),
    "en": (
        "en-us", "en-us", "en", "en-gb-x-rp", "en-gb-scotland", "en-us-nyc", "en-029",
        "en-gb-x-gbclan", "en-gb-x-gbcwmd",
    ),
}  # fmt: skip

HELD_OUT_VARIANTS: tuple[str, ...] = (
    "m3", "f2", "m7", "f5", "Andy", "Annie", "klatt2", "steph", "max", "belinda", "rob", "caleb",
)  # fmt: skip

TRAINING_VARIANTS: tuple[str, ...] = (
    "", "", "m1", "m2", "m4", "m5", "m6", "m8", "f1", "f3", "f4", "Alex", "Alicia", "Andrea",
    "Denis", "Diogo", "Gene", "Gene2", "Henrique", "Hugo", "Jacky", "Lee", "Marco", "Mario",
    "Michael", "Mike", "Mr serious", "Nguyen", "Reed", "RicishayMax", "adam", "anika", "announcer",
    "antonio", "aunty", "benjamin", "boris", "david", "ed", "edward", "grandma", "grandpa",
    "gustave", "ian", "iven", "iven2", "iven3", "john", "klatt", "klatt3", "klatt4", "linda",
    "marcelo", "michel", "miguel", "mike2", "norbert", "pablo", "paul", "pedro", "quincy",
    "robert", "sandro", "shelby", "steph2", "travis", "victor", "zac",
)  # fmt: skip

HELD_OUT_SPEEDS: tuple[int, ...] = (135, 160, 185, 210)
"""Words a minute; training keeps two words a minute away from each."""


def training_manner(language: Language, rng: random.Random) -> Manner:
    """A voice of the training set, at any other speed and pitch."""
    speed = rng.randrange(110, 240)
    while any(abs(speed - held) < 2 for held in HELD_OUT_SPEEDS):
        speed = rng.randrange(110, 240)
    voice = _voice(rng.choice(_ACCENTS[language]), rng.choice(TRAINING_VARIANTS))
    return Manner(voice, speed, rng.randrange(20, 85), rng.randrange(25, 80))


def held_out_manner(language: Language, rng: random.Random) -> Manner:
    """A voice that training never heard, at a speed that it never heard."""
    accent = rng.choice(_ACCENTS[language])
    voice = _voice(accent, rng.choice(HELD_OUT_VARIANTS))
    return Manner(voice, rng.choice(HELD_OUT_SPEEDS), rng.randrange(35, 66))


def accents(language: Language) -> list[str]:
    """The accents of a language, each once."""
    return sorted(set(_ACCENTS[language]))


def _voice(accent: str, variant: str) -> str:
    return f"{accent}+{variant}" if variant else accent
