"""What the finished model hears: libvosk itself decodes voices that training never had."""

import csv
import json
import random
import wave
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr
from vosk import KaldiRecognizer, Model, SetLogLevel

from .augment import Floats, add_noise, mu_law
from .bundle import read_phrases
from .corpus import RATE, foreign_words, join, telephone, vocabulary
from .espeak import espeak
from .language_model import UNKNOWN
from .phrases import LANGUAGES, Language, Words
from .voices import held_out_manner

CHUNK_BYTES = 2 * RATE // 5
"""200 ms."""


@dataclass(frozen=True)
class Heard:
    text: str
    """Without blanks: Mandarin has none, and how words are cut is no error."""
    confidence: float
    """Of the least sure word; 0 if nothing was heard."""


@dataclass(frozen=True)
class Trial:
    """A sentence of an unseen voice at 8 kHz, before the line."""

    language: Language
    text: str
    samples: Floats


def hear(model: Model, samples: Floats, grammar: str | None = None) -> Heard:
    """Decode 8 kHz samples in one go, as one utterance after another if it pauses."""
    recognizer = KaldiRecognizer(model, RATE, *([grammar] if grammar else []))
    recognizer.SetWords(True)
    data = np.clip(np.round(samples), -32768, 32767).astype("<i2").tobytes()
    results = []
    for start in range(0, len(data), CHUNK_BYTES):
        if recognizer.AcceptWaveform(data[start : start + CHUNK_BYTES]):
            results.append(json.loads(recognizer.Result()))
    results.append(json.loads(recognizer.FinalResult()))
    words = [word for result in results for word in result.get("result", [])]
    text = "".join(word["word"] for word in words)
    return Heard(text, min((word["conf"] for word in words), default=0.0))


def load(folder: Path) -> Model:
    """Open a model quietly."""
    SetLogLevel(-1)
    return Model(str(folder))


def trials(language: Language, texts: Iterable[Words], rng: random.Random) -> list[Trial]:
    """Each sentence in one unseen voice and speed, 0.4 s of silence around."""
    made = []
    silence = np.zeros(RATE * 2 // 5, np.float32)
    for words in texts:
        utterance = espeak().say(join(words, language), held_out_manner(language, rng))
        speech = telephone(utterance.samples, utterance.rate).astype(np.float32) * 0.4
        samples = np.concatenate([silence, speech, silence])
        made.append(Trial(language, "".join(words), samples))
    return made


Line = Callable[[Floats, np.random.Generator], Floats]

LINES: dict[str, Line] = {
    "mu-law": lambda samples, rng: mu_law(samples),
    "20 dB": lambda samples, rng: mu_law(add_noise(samples, 20, rng)),
    "10 dB": lambda samples, rng: mu_law(add_noise(samples, 10, rng)),
}


@dataclass(frozen=True)
class Score:
    right: float
    confidences: list[float]
    wrong: list[tuple[str, str]]


def score(model: Model, tried: list[Trial], line: Line, grammars: dict[Language, str] | None = None) -> Score:
    """Share of trials whose whole text was heard exactly."""
    rng = np.random.default_rng(5)
    wrong, confidences = [], []
    for trial in tried:
        grammar = grammars[trial.language] if grammars else None
        heard = hear(model, line(trial.samples, rng), grammar)
        if heard.text == trial.text:
            confidences.append(heard.confidence)
        else:
            wrong.append((trial.text, heard.text))
    return Score(1 - len(wrong) / max(1, len(tried)), confidences, wrong)


Figures = dict[str, object]

LIMITS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Confidences below which a product could ask back."""


def evaluate(folder: Path, count: int = 300, human: Path | None = None) -> Figures:
    """Measure the model in ``folder`` and print it: ``count`` sentences of each kind."""
    model = load(folder)
    figures: Figures = {}
    for language in LANGUAGES:
        figures |= _measure_language(model, folder, language, count)
    if human is not None:
        figures |= _measure_people(model, folder, human)
    return figures


def _measure_language(model: Model, folder: Path, language: Language, count: int) -> Figures:
    phrases = read_phrases()[language]
    rng = random.Random(f"evaluation {language}")
    replies = phrases.list_replies(rng)
    grammar = {language: _grammar(folder, language)}
    kinds = {
        "replies": [rng.choice(replies) for _ in range(count)],
        "sentences": phrases.sentences(count, rng),
    }
    figures: Figures = {}
    for kind, texts in kinds.items():
        tried = trials(language, texts, rng)
        for name, line in LINES.items():
            opened = score(model, tried, line)
            bound = score(model, tried, line, grammar)
            figures[f"{language} {kind} {name}"] = round(opened.right, 4)
            figures[f"{language} {kind} {name} with grammar"] = round(bound.right, 4)
            print(f"{language} {kind} {name}: {opened.right:.1%} right, {bound.right:.1%} with grammar")
            print(f"    {_some(opened.wrong)}", flush=True)
            if name == "mu-law":
                figures[f"{language} {kind} kept"] = _kept(opened, count)
    known = vocabulary(phrases, rng)
    foreign = [(word,) for word in foreign_words(language, known, held_out=True)[:count]]
    strangers = trials(language, foreign, rng)
    figures[f"{language} foreign accepted"] = _accepted(model, strangers, None)
    figures[f"{language} foreign accepted with grammar"] = _accepted(model, strangers, grammar)
    return figures


def _kept(result: Score, count: int) -> dict[str, float]:
    """Share of all trials that are right and still accepted at each confidence."""
    kept = {f"{limit}": sum(c >= limit for c in result.confidences) / count for limit in LIMITS}
    print(f"    right and at least as confident: {kept}")
    return kept


def _accepted(model: Model, tried: list[Trial], grammars: dict[Language, str] | None) -> dict[str, float]:
    """Share of words of no flow that are heard as words of one, at each confidence."""
    accepted = []
    for trial in tried:
        grammar = grammars[trial.language] if grammars else None
        heard = hear(model, mu_law(trial.samples), grammar)
        if heard.text and UNKNOWN not in heard.text:
            accepted.append(heard.confidence)
    shares = {f"{limit}": round(sum(c >= limit for c in accepted) / len(tried), 4) for limit in LIMITS}
    print(f"{tried[0].language} foreign words accepted: {shares}", flush=True)
    return shares


def _some(wrong: list[tuple[str, str]], most: int = 8) -> str:
    return "; ".join(f"{said} > {heard or '-'}" for said, heard in wrong[:most])


def _grammar(folder: Path, language: Language) -> str:
    return (folder / f"grammar.{language}.json").read_text("utf-8")


def _measure_people(model: Model, folder: Path, listing: Path) -> Figures:
    """Human speech, of which the model learnt nothing: rows of path, language, transcript."""
    right: Counter[Language] = Counter()
    total: Counter[Language] = Counter()
    rows = csv.DictReader(listing.read_text("utf-8").splitlines(), delimiter="\t")
    for row in rows:
        language: Language = "zh" if row["language"] == "zh" else "en"
        if not _sayable(row["transcript"], _words(folder, language)):
            continue
        heard = hear(model, read_wave(listing.parent / row["path"]), _grammar(folder, language))
        total[language] += 1
        right[language] += heard.text == row["transcript"].replace(" ", "")
    for language, count in total.items():
        print(f"human speech, {language}: {right[language] / count:.1%} of {count} recordings")
    return {f"human {name}": round(right[name] / count, 4) for name, count in total.items()}


def _words(folder: Path, language: Language) -> list[str]:
    return (folder / f"words.{language}.txt").read_text("utf-8").split()


def _sayable(transcript: str, known: list[str]) -> bool:
    return all(word in known for word in transcript.split())


def read_wave(path: Path) -> Floats:
    """A mono WAV of any rate as 8 kHz samples."""
    with wave.open(str(path)) as file:
        data = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32)
        return np.asarray(soxr.resample(data, file.getframerate(), RATE), np.float32)
