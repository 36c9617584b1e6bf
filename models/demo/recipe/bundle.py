"""Everything that libvosk reads, written into one folder."""

import hashlib
import json
import random
from collections import Counter, defaultdict
from pathlib import Path

from . import kaldi
from .corpus import RATE, foreign_words, vocabulary
from .espeak import Manner, espeak
from .features import CONFIG
from .graph import Costs, UnitBigram, words_to_sounds, write_graph
from .language_model import UNKNOWN, Speech, acceptor, expect_speech
from .lexicon import Pronunciation, make_lexicon
from .net import Trained
from .phrases import LANGUAGES, Language, Phrases, load_phrases
from .units import SILENCE, UnknownSoundError, timed_units

HERE = Path(__file__).parent

MODEL_CONF = """--min-active=200
--max-active=3000
--beam=13.0
--lattice-beam=4.0
--acoustic-scale={scale}
--frame-subsampling-factor=3
--frames-per-chunk=6
--endpoint.silence-phones=1
--endpoint.rule2.min-trailing-silence=0.5
--endpoint.rule3.min-trailing-silence=0.75
--endpoint.rule4.min-trailing-silence=1.0
"""
ACOUSTIC_SCALE = 0.8


def read_phrases() -> dict[Language, Phrases]:
    """The two phrase files beside this one."""
    return {language: load_phrases(HERE / f"phrases.{language}.txt") for language in LANGUAGES}


def write_model(folder: Path, trained: Trained) -> None:
    """Write the model's files into ``folder`` (those of the same name are replaced)."""
    (folder / "am").mkdir(parents=True, exist_ok=True)
    (folder / "am/final.mdl").write_bytes(kaldi.acoustic_model(trained))
    write_language(folder)


def write_language(folder: Path, costs: Costs | None = None, scale: float = ACOUSTIC_SCALE) -> None:
    """Write all but the net: settings, words, grammars, graphs."""
    for name in ("conf", "graph/phones"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "conf/fbank.conf").write_text(CONFIG)
    (folder / "conf/model.conf").write_text(MODEL_CONF.format(scale=scale))
    (folder / "graph/phones/word_boundary.int").write_text(kaldi.word_boundaries())
    _write_graph(folder, costs or Costs())


def _write_graph(folder: Path, costs: Costs) -> None:
    rng = random.Random(7)
    lexicon: list[Pronunciation] = []
    spoken: list[Speech] = []
    foreign: UnitBigram = defaultdict(Counter)
    for language, phrases in read_phrases().items():
        words = vocabulary(phrases, rng)
        lexicon += make_lexicon(phrases, words, language, rng)
        spoken.append(expect_speech(phrases, words, rng))
        _count_foreign(foreign, foreign_words(language, words, held_out=False)[:2000], language)
        (folder / f"words.{language}.txt").write_text("\n".join(words) + "\n", "utf-8")
        _write_grammar(folder / f"grammar.{language}.json", phrases, rng)
    listed = [*sorted({entry.word for entry in lexicon}), UNKNOWN]
    ids = {word: index + 1 for index, word in enumerate(listed)}
    sounds = words_to_sounds(lexicon, foreign, ids, costs)
    write_graph(folder / "graph", sounds, acceptor(spoken, ids), listed)


def _write_grammar(path: Path, phrases: Phrases, rng: random.Random) -> None:
    """Ready to be passed to KaldiRecognizer: one language's phrases and ``[unk]``."""
    drawn = {*phrases.list_replies(rng), *phrases.sentences(1500, rng)}
    listed = [" ".join(words) for words in sorted(drawn)]
    listed += [UNKNOWN] * (1 + len(listed) // 50)
    path.write_text(json.dumps(listed, ensure_ascii=False, indent=0) + "\n", "utf-8")


def _count_foreign(foreign: UnitBigram, words: list[str], language: Language) -> None:
    accent = "cmn" if language == "zh" else "en-us"
    for word in words:
        try:
            units = timed_units(espeak().say(word, Manner(accent)), language)
        except UnknownSoundError:
            continue
        names = [name for name, _, _ in units if name != SILENCE]
        for before, after in zip(["", *names], [*names, ""], strict=True):
            foreign[before][after] += 1


def write_metadata(folder: Path, figures: dict[str, object]) -> None:
    """model.json: what the model is, what was measured, and the sha256 of every file of it."""
    files = [p for p in sorted(folder.rglob("*")) if p.is_file() and _is_of_model(p, folder)]
    metadata = {
        "name": "agi-bot-demo",
        "purpose": "demo and test model from synthetic speech; unfit for people",
        "licence": "Apache-2.0",
        "sample_rate": RATE,
        "languages": list(LANGUAGES),
        "words": {
            language: len((folder / f"words.{language}.txt").read_text("utf-8").split()) for language in LANGUAGES
        },
        "figures": figures,
        "sha256": {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files},
    }
    text = json.dumps(metadata, ensure_ascii=False, indent=2)
    (folder / "model.json").write_text(text + "\n", "utf-8")


def _is_of_model(path: Path, folder: Path) -> bool:
    inside = path.relative_to(folder)
    return inside.parts[0] in ("am", "conf", "graph") or inside.name.startswith(("words.", "grammar."))
