"""What hearing with the step in mind is worth: understanding before and after, false words, confidence, noise.

``python -m tests.bench.bench_recognition [--wide DIR]`` writes ``bench-results/recognition.json``.  *Before*
is the model alone with its own confidence; *now* is what a call gets: the second look, the words of the
business, calibrated confidence.  The sentences, voices and speeds are those that are kept aside
(``held-out``).  ``--wide``: a Mandarin model with a large vocabulary without the words of the business.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import zlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from agi_bot.app.understanding import Understanding
from agi_bot.app.workshop import bias_of
from agi_bot.audio import LINE_RATE, split
from agi_bot.config import Settings
from agi_bot.contracts import Context, Hints, Transcript, Value
from agi_bot.conversation.bias import Bias
from agi_bot.conversation.ear import Ear
from agi_bot.flow.builtin import DEFAULTS
from agi_bot.flow.events import Listen
from agi_bot.flow.filling import fill
from agi_bot.flow.listening import listening
from agi_bot.flow.state import Asking, Level
from agi_bot.nlu.embedded import EmbeddedInterpreter
from agi_bot.shipped import shipped
from agi_bot.speech.vad import VadBatcher, find_model
from agi_bot.speech.vosk import VoskRecognizer, VoskSettings
from agi_bot.speech.vosk.calibration import FILE, error
from tests.bench.recognition.material import Said, flow_of, speak_all
from tests.bench.recognition.noises import sounds
from tests.bench.results import Figure, save
from tests.bench.speech import Floats, on_the_line

NOISES = (("clean", None), ("20db", 20.0), ("10db", 10.0))
SILENCE = np.zeros(LINE_RATE // 4)
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
QUIET_MS = 600
KINDS = {
    "intent": ("greet",),
    "slot": ("time", "tail", "phone", "money", "item", "colour"),
    "off": ("other", "keyword"),
}


@dataclass(frozen=True)
class Scene:
    """What a step listens for, and who understands the answer."""

    asks: Listen
    bias: Bias
    interpreter: EmbeddedInterpreter

    @property
    def hints(self) -> Hints:
        return self.bias.hints(self.asks)


@dataclass(frozen=True)
class Heard:
    """One sentence, as it was heard before and is now."""

    said: Said
    noise: str
    before: Transcript
    raw: Transcript
    now: Transcript
    meant: object
    meant_before: object
    meant_now: object


async def scene_of(understanding: Understanding, language: str, kind: str) -> Scene:
    flow, step = flow_of(language, kind)
    level = Level(flow, {}, step_name=step)
    asks = listening(level, step, DEFAULTS[flow.language], Asking())
    interpreter = await understanding.of(flow)
    assert isinstance(interpreter, EmbeddedInterpreter)
    return Scene(asks, bias_of(flow, await understanding.data(flow)), interpreter)


def understood(scene: Scene, said: Said, text: str) -> tuple[str, dict[str, Value]]:
    """Intent and slots of ``text`` at this step."""
    context = Context(said.language, NOW, scene.asks.expected, scene.asks.wanted)
    intent = scene.interpreter.understand(text, context)
    slots = said.flow.step(said.step).collect
    filled = fill(slots, intent.entities, text, {}, {}, NOW)
    return ("" if slots else intent.name), {**filled.values, **filled.halves}


async def hear(recognizer: VoskRecognizer, said: Said, noise_db: float | None, hints: Hints) -> Transcript:
    sound = np.concatenate([SILENCE, said.samples, SILENCE])
    ear = await recognizer.open(language=said.language, hints=hints)
    for frame in split(on_the_line(sound, noise_db=noise_db, seed=zlib.crc32(said.text.encode()))):
        await ear.hear(frame)
    final = await ear.finish()
    await ear.close()
    return final


async def hear_all(models: dict[str, Path], plain: dict[str, Path], said: Sequence[Said]) -> list[Heard]:
    before = VoskRecognizer(plain, VoskSettings(hints="ignore"))
    now = VoskRecognizer(models, VoskSettings(reject_below=Settings().hearing.min_confidence))
    await asyncio.gather(before.start(), now.start())
    understanding, found = Understanding(Settings()), []
    kinds = {(one.language, one.kind) for one in said}
    scenes = {key: await scene_of(understanding, *key) for key in kinds}
    for one in said:
        scene = scenes[one.language, one.kind]
        meant = understood(scene, one, one.text)
        for name, noise_db in NOISES:
            first = await hear(before, one, noise_db, Hints())
            raw = await hear(now, one, noise_db, scene.hints)
            last, _ = scene.bias.understood_as(raw, scene.asks)
            meanings = (understood(scene, one, text) for text in (first.text, last.text))
            found.append(Heard(one, name, first, raw, last, meant, *meanings))
    await asyncio.gather(before.stop(), now.stop())
    return found


def same(heard: str, said: str) -> bool:
    return "".join(heard.lower().split()) == "".join(said.lower().split())


def figures_of(heard: list[Heard], label: str) -> list[Figure]:
    """Understanding before and now, by kind and noise; sure answers that were spoiled; confidence."""
    figures = []
    for what in ("intent", "slot"):
        for noise, _ in NOISES:
            own = [one for one in heard if one.noise == noise and one.said.kind in KINDS[what]]
            figures += share(f"{label}_{what}_right_before_{noise}", [one.meant_before == one.meant for one in own])
            figures += share(f"{label}_{what}_right_now_{noise}", [one.meant_now == one.meant for one in own])
    right = [one for one in heard if same(one.before.text, one.said.text)]
    figures += share(f"{label}_right_text_spoiled", [not same(one.now.text, one.said.text) for one in right])
    off = [one for one in heard if one.said.kind == "other"]
    figures += share(f"{label}_off_domain_text_before", [bool(one.before.text) for one in off])
    figures += share(f"{label}_off_domain_text_now", [bool(one.now.text) for one in off])
    figures += share(f"{label}_off_domain_corrected", [one.now.text != one.raw.text for one in off])
    return [*figures, *_confidence(heard, label)]


def _confidence(heard: list[Heard], label: str) -> list[Figure]:
    judged = {
        "before": [(one.before.confidence, same(one.before.text, one.said.text)) for one in heard if one.before.text],
        "now": [(one.raw.confidence, same(one.raw.text, one.said.text)) for one in heard if one.raw.text],
    }
    return [Figure(f"{label}_calibration_error_{name}", error(pairs), "share") for name, pairs in judged.items()]


def share(name: str, judged: list[bool]) -> list[Figure]:
    return [Figure(name, round(float(np.mean(judged)), 4), f"share of {len(judged)}")] if judged else []


def keywords(heard: list[Heard], label: str) -> list[Figure]:
    """Words of the business that were said and are in the text, and those that nobody said."""
    counts: dict[str, list[bool]] = defaultdict(list)
    for one in heard:
        words = _words(one)
        said = {word for word in words if word in one.said.text}
        for word in said:
            counts[f"{label}_keywords_heard_before_{one.noise}"].append(word in one.before.text)
            counts[f"{label}_keywords_heard_now_{one.noise}"].append(word in one.now.text)
        invented = any(word in one.now.text and word not in one.raw.text for word in set(words) - said)
        counts[f"{label}_keywords_invented"].append(invented)
        if one.said.kind == "other":
            counts[f"{label}_off_domain_corrected"].append(one.now.text != one.raw.text)
    return [figure for name, judged in counts.items() for figure in share(name, judged)]


def _words(one: Heard) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*one.said.flow.words, *one.said.flow.hints(one.said.step)]))


async def false_words(models: dict[str, Path], plain: dict[str, Path]) -> list[Figure]:
    """Share of sounds that are no answer and of which the whole ear made words, at a yes/no question."""
    understanding = Understanding(Settings())
    scene = await scene_of(understanding, "zh", "greet")
    batcher = VadBatcher(find_model()[0])
    figures = []
    for name, recognizer in (
        ("before", VoskRecognizer(plain, VoskSettings(hints="ignore", reject_below=0.4))),
        ("now", VoskRecognizer(models, VoskSettings(reject_below=Settings().hearing.min_confidence))),
    ):
        await recognizer.start()
        for kind, made in sounds().items():
            texts = [await _overheard(recognizer, batcher, one, scene.hints) for one in made]
            figures += share(f"false_words_{kind.replace(' ', '_')}_{name}", [bool(text) for text in texts])
            print(name, kind, [text for text in texts if text][:8])
        await recognizer.stop()
    return figures


async def _overheard(recognizer: VoskRecognizer, batcher: VadBatcher, samples: Floats, hints: Hints) -> str:
    ear = Ear(await recognizer.open(language="zh", hints=hints), batcher.stream())
    texts, quiet = [], 0
    sound = np.concatenate([np.zeros(LINE_RATE // 2), samples, np.zeros(LINE_RATE)])
    for frame in split(on_the_line(sound + np.random.default_rng(1).normal(0, 4, len(sound)))):
        heard = await ear.hear(frame)
        quiet = 0 if heard.segment.speech else quiet + 20
        if quiet == QUIET_MS:
            texts.append((await ear.finish()).text)
    texts.append((await ear.finish()).text)
    await ear.close()
    return " ".join(filter(None, texts))


def without_calibration(model: Path, folder: Path) -> Path:
    """``model`` as it was before: linked, without its calibration."""
    bare = folder / model.name
    bare.mkdir(parents=True)
    for path in model.iterdir():
        if path.name != FILE:
            (bare / path.name).symlink_to(path.resolve())
    return bare


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wide", type=Path, help="Mandarin model without the words of the business")
    parser.add_argument("--times", type=int, default=1, help="voices of each sentence")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        save("recognition.json", run(options.wide, options.times, Path(scratch)), ("vosk", "pypinyin", "scikit-learn"))


def run(wide: Path | None, times: int, scratch: Path) -> list[Figure]:
    demo = shipped("models", "demo")
    bare = without_calibration(demo, scratch / "bare")
    figures = []
    for language in ("zh", "en"):
        said = asyncio.run(speak_all(language, "held-out", times=times))
        figures += figures_of(asyncio.run(hear_all({language: demo}, {language: bare}, said)), language)
    figures += asyncio.run(false_words({"zh": demo}, {"zh": bare}))
    if wide is not None:
        chosen = [one for one in asyncio.run(speak_all("zh", "held-out", times=times)) if one.kind in _WIDE]
        figures += keywords(asyncio.run(hear_all({"zh": wide}, {"zh": wide}, chosen)), "wide")
    return figures


_WIDE = ("keyword", "item", "other")


if __name__ == "__main__":
    main()
