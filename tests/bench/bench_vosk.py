"""What hearing with Vosk costs, how late it is and how much it gets right.

``python -m tests.bench.bench_vosk [--speech DIR] [--model LANGUAGE=DIR]`` adds to
``bench-results/hearing.json``.  Without a model it measures the bundled demo model, which
learned from synthetic speech and is unfit for people: its figures on human speech say so.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agi_bot.audio import LINE_RATE, split
from agi_bot.shipped import shipped
from agi_bot.speech.vosk import VoskRecognizer
from tests.bench.results import Figure, save
from tests.bench.speech import Speech, given_folder, load, on_the_line

SILENCE = np.zeros(LINE_RATE // 4)
STREAMS = 50


@dataclass(frozen=True)
class Run:
    """One utterance, heard."""

    speech: Speech
    text: str
    confidence: float
    first_ms: float | None
    """First partial after the first sound."""
    settled_ms: float | None
    """Last change of the partial after the last sound (negative: before)."""
    finish_ms: float
    """Wall time of finish()."""
    cpu_share: float
    """CPU seconds a second of sound."""

    @property
    def right(self) -> bool:
        return self.text.replace(" ", "") == self.speech.text.replace(" ", "").lower()


async def hear(recognizer: VoskRecognizer, speech: Speech, noise_db: float | None) -> Run:
    """Feed one utterance frame by frame, with 250 ms of silence around it."""
    ear = await recognizer.open(language=speech.language)
    sound = on_the_line(np.concatenate([SILENCE, speech.samples, SILENCE]), noise_db=noise_db)
    first, settled, before, began = None, None, "", time.process_time()
    for index, frame in enumerate(split(sound)):
        partial = (await ear.hear(frame)).text
        now = (index + 1) * 20 - 250.0
        first = now if partial and first is None else first
        settled = now - speech.ms if partial != before else settled
        before = partial
    start = time.perf_counter()
    final = await ear.finish()
    finish = (time.perf_counter() - start) * 1000
    cpu = (time.process_time() - began) * 1000 / sound.ms
    await ear.close()
    return Run(speech, final.text, final.confidence, first, settled, finish, cpu)


async def measure(recognizer: VoskRecognizer, speech: list[Speech], noise_db: float | None) -> list[Run]:
    return [await hear(recognizer, each, noise_db) for each in speech]


def summary(runs: list[Run], label: str) -> list[Figure]:
    """Accuracy by language, and the times."""
    figures = []
    for language in sorted({run.speech.language for run in runs}):
        own = [run.right for run in runs if run.speech.language == language]
        figures.append(Figure(f"vosk_exact_share_{language}_{label}", round(float(np.mean(own)), 4), "share"))
    firsts = [run.first_ms for run in runs if run.first_ms is not None]
    settled = [run.settled_ms for run in runs if run.settled_ms is not None]
    return [
        *figures,
        Figure(f"vosk_first_partial_ms_p50_{label}", float(np.percentile(firsts, 50)), "ms"),
        Figure(f"vosk_last_change_ms_p50_{label}", round(float(np.percentile(settled, 50)), 1), "ms"),
        Figure(f"vosk_last_change_ms_p95_{label}", round(float(np.percentile(settled, 95)), 1), "ms"),
        Figure(
            f"vosk_finish_ms_p50_{label}", round(float(np.percentile([run.finish_ms for run in runs], 50)), 1), "ms"
        ),
        Figure(
            f"vosk_finish_ms_p95_{label}", round(float(np.percentile([run.finish_ms for run in runs], 95)), 1), "ms"
        ),
        Figure(f"vosk_real_time_factor_{label}", round(float(np.mean([run.cpu_share for run in runs])), 4), "CPU s/s"),
    ]


async def memory(recognizer: VoskRecognizer, speech: Speech) -> Figure:
    """Growth of the process for each ear that has heard something, MB."""
    before = _resident_mb()
    ears = [await recognizer.open(language=speech.language) for _ in range(STREAMS)]
    for ear in ears:
        for frame in split(on_the_line(speech.samples)):
            await ear.hear(frame)
    grown = (_resident_mb() - before) / STREAMS
    for ear in ears:
        await ear.close()
    return Figure("vosk_mb_a_stream", round(grown, 2), "MB")


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


async def bench(models: dict[str, Path], speech: list[Speech]) -> list[Figure]:
    recognizer = VoskRecognizer(models)
    before, start = _resident_mb(), time.perf_counter()
    await recognizer.start()
    figures = [
        Figure("vosk_start_s", round(time.perf_counter() - start, 2), "s"),
        Figure("vosk_model_mb", round(_resident_mb() - before, 1), "MB"),
    ]
    for label, noise_db in (("clean", None), ("20db", 20.0), ("10db", 10.0)):
        figures += summary(await measure(recognizer, speech, noise_db), label)
    figures.append(await memory(recognizer, max(speech, key=lambda each: each.ms)))
    await recognizer.stop()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speech", type=Path, default=given_folder())
    parser.add_argument("--count", type=int, default=150, help="utterances drawn from the given speech")
    parser.add_argument("--model", action="append", default=[], help="zh=folder; may be repeated")
    options = parser.parse_args()
    demo = shipped("models", "demo")
    models = {language: Path(path) for language, _, path in (each.partition("=") for each in options.model)}
    models = models or {"zh": demo, "en": demo}
    figures = asyncio.run(bench(models, load(None)))
    if options.speech:
        human = load(options.speech, count=options.count)
        figures += [each for each in asyncio.run(bench_human(models, human)) if "share" in each.name]
    names = ", ".join(sorted({path.name for path in models.values()}))
    save("hearing.json", figures, ("vosk",), (f"recognition: model {names}",))


async def bench_human(models: dict[str, Path], speech: list[Speech]) -> list[Figure]:
    """The same on given speech of the models' languages."""
    recognizer = VoskRecognizer(models)
    await recognizer.start()
    known = [each for each in speech if each.language in recognizer.languages]
    figures = summary(await measure(recognizer, known, None), "given_speech")
    await recognizer.stop()
    return figures


if __name__ == "__main__":
    main()
