"""``python -m tests.bench.lab [--calls N] [--part tune|held-out] [--speech DIR] [--dry] [--keep DIR]``."""

from __future__ import annotations

import argparse
import asyncio
import os
import pickle
import random
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import cast

from agi_bot.demo.phone.softphone import Softphone
from agi_bot.errors import AgiBotError
from agi_bot.speech.turns import PRESETS
from agi_bot.testing import VirtualTimeLoop
from tests.bench import speech as given_speech
from tests.bench.lab import material
from tests.bench.lab.background import CONDITIONS, Condition
from tests.bench.lab.caller import Deed, Tape, answers, call, interruptions
from tests.bench.lab.dry import dry_phone
from tests.bench.lab.report import write
from tests.bench.lab.stage import stage

Job = tuple[str, list[Deed], Condition, int]


def jobs(stock: dict[str, list[material.Utterance]], calls: int, turns: int, lines: list[Condition]) -> list[Job]:
    """``calls`` calls of each kind and line, ``turns`` deeds a call, shuffled."""
    rng = random.Random(23)
    stock = {**stock, "answer": [each for each in stock["yes_no"] if len(each.text) <= 4] or stock["yes_no"]}
    planned: list[Job] = []
    for condition in lines:
        for _ in range(calls):
            planned.append(("lab_answers", answers(stock, turns, rng), condition, rng.randrange(1 << 30)))
            planned.append(("lab_long", interruptions(stock, 6, rng), condition, rng.randrange(1 << 30)))
    rng.shuffle(planned)
    return planned


async def rehearse(planned: list[Job], folder: Path, preset: str) -> tuple[list[Tape], str]:
    """The same calls without an exchange, one after another, in virtual time."""
    tapes: list[Tape] = []
    async with dry_phone(folder, PRESETS[preset]) as phone:
        for flow, deeds, condition, seed in planned:
            tapes.append(await call(phone, 0, flow, deeds, condition, seed))
            print(f"{len(tapes)}/{len(planned)} {condition.name} {flow} {tapes[-1].broken}", flush=True)
    return tapes, "without an exchange, in virtual time"


async def run(planned: list[Job], at_once: int, folder: Path, preset: str) -> tuple[list[Tape], str]:
    """Place the calls, ``at_once`` at a time; the tapes and Asterisk's version."""
    tapes: list[Tape] = []
    waiting = list(reversed(planned))
    async with stage(folder, preset) as ready, Softphone("lab") as phone:

        async def line() -> None:
            while waiting:
                flow, deeds, condition, seed = waiting.pop()
                try:
                    tapes.append(await call(phone, ready.sip, flow, deeds, condition, seed))
                except AgiBotError as error:
                    tapes.append(Tape(condition, flow, broken=str(error)))
                print(f"{len(tapes)}/{len(planned)} {condition.name} {flow} {tapes[-1].broken}", flush=True)

        await asyncio.gather(*(line() for _ in range(at_once)))
        return tapes, f"Asterisk {ready.version}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=6, help="calls of each kind in each condition")
    parser.add_argument("--turns", type=int, default=8, help="answers a call")
    parser.add_argument("--at-once", type=int, default=8)
    parser.add_argument("--part", choices=("tune", "held-out"), default="held-out")
    names = [condition.name for condition in CONDITIONS]
    parser.add_argument("--line", action="append", choices=names, help="only this condition of the line")
    parser.add_argument("--slips", action="store_true", help="the echo's delay moves, frames are late, lost or twice")
    parser.add_argument("--preset", default="normal")
    parser.add_argument("--speech", type=Path, default=given_speech.given_folder())
    parser.add_argument("--keep", type=Path, help="folder for tapes, log and database")
    parser.add_argument("--dry", action="store_true", help="without Asterisk, in virtual time (to choose limits)")
    parser.add_argument("--name", default="", help="name of the results, if not lab")
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="agi-bot-lab-"))
    folder.mkdir(parents=True, exist_ok=True)
    recordings = given_speech.load(options.speech) if options.speech else []
    stock = cast(dict[str, list[material.Utterance]], material.load(options.part, recordings))
    lines = [each for each in CONDITIONS if each.name in (options.line or names)]
    if options.slips:
        lines = [replace(each, name=f"{each.name}-slips", slips=True) for each in lines]
    planned = jobs(stock, options.calls, options.turns, lines)
    if options.dry:
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            tapes, version = runner.run(rehearse(planned, folder, options.preset))
    else:
        tapes, version = asyncio.run(run(planned, options.at_once, folder, options.preset))
    (folder / "tapes.pickle").write_bytes(pickle.dumps(tapes))
    load = os.getloadavg()[0]
    name = options.name or ("lab-dry" if options.dry else "lab")
    note = f"part {options.part}, preset {options.preset}, {options.at_once} calls at once, load average {load:.1f}"
    write(tapes, version, note, name)


if __name__ == "__main__":
    main()
