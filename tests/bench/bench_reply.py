"""How long a caller waits for the bot's reply, measured from the stereo recording of the caller's own telephone.

``python -m tests.bench.bench_reply [--turns 50]`` writes ``bench-results/reply.json``.  A real
Asterisk calls a SIP telephone (RTP both ways), whose owner answers as soon as the bot has
ended; the bot hears with Vosk and the bundled model and understands with the embedded
interpreter.  A reply time runs from the last sound of the person's answer to the first
sound of the bot's, both as they were on the telephone.  Everything shares this machine.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from agi_bot.app.exchange import exchange
from agi_bot.app.running import running
from agi_bot.config import Settings
from agi_bot.demo import measure
from agi_bot.demo.person import record_lines
from agi_bot.demo.phone import Patient, Say
from agi_bot.demo.provision import provide
from agi_bot.demo.scenario import MANDARIN
from agi_bot.demo.theatre import AsteriskTheatre, call_the_phone
from agi_bot.shipped import shipped
from tests.bench.results import Figure, save

STEPS = 10
ANSWERS = ("可以", "不行", "我那天没空，能改到后天下午三点吗", "对")
UNHEARD_MS = 3000
NOTES = (
    "reply: from the last sound of the answer to the first of the reply, on the caller's telephone",
    f"an answer is not heard when the bot asks after {UNHEARD_MS} ms of silence; such turns are not in the times",
)
NOTICE = "本次通话会被录音"
QUESTIONS = ("您能按时来吗？", "那天您有空吗？", "请空腹前往，可以吗？")


def flow() -> str:
    """A flow of ten questions, which goes on whatever is answered."""
    steps = "\n".join(_step(number) for number in range(1, STEPS + 1))
    return f"""\
flow: bench_reply
language: zh-CN
start: q1
steps:
{steps}
  q{STEPS + 1}: {{say: 再见。, end: confirmed}}
silence: [您好，您能听到吗？, {{end: no_response}}]
unclear: [抱歉，没听清，您能再说一遍吗？, 您可以说可以。, {{end: unclear}}]
anywhere:
  stop_calling: {{say: 好的，再见。, mark: do_not_call, end: refused}}
"""


def _step(number: int) -> str:
    ways = "".join(f", {name}: q{number + 1}" for name in ("deny", "reschedule", "busy", "inform"))
    say = f"say: {QUESTIONS[number % len(QUESTIONS)]}"
    if number == 1:
        say = f"say: {NOTICE}。您能按时来吗？, protect: {NOTICE}"
    return f"  q{number}: {{{say}, on: {{affirm: q{number + 1}{ways}}}}}"


async def measured(turns: int, folder: Path) -> tuple[list[int], list[str]]:
    """Reply times, ms, of calls with ten questions each until there are ``turns``; and how the calls ended."""
    lines = await record_lines(replace(MANDARIN, lines=ANSWERS), folder)
    theatre = AsteriskTheatre(provide(print))
    times: list[int] = []
    try:
        settings = _settings(folder, dict(await theatre.open()))
        pbx = exchange(settings)
        async with running(settings, pbx) as parts:
            await pbx.start()
            await theatre.connect(pbx)
            while len(times) < turns:
                tape = folder / f"call-{len(times)}.wav"
                acts: list[Say] = [lines[n % len(lines)] for n in range(STEPS + 3)]
                await call_the_phone(theatre.phone, parts.bot, "bench_reply", {}, Patient(acts), tape)
                times += measure.reply_times(tape)
            return times, [str(row["outcome"]) for row in await parts.calls.latest(1000)]
    finally:
        await theatre.close()


def _settings(folder: Path, exchange_settings: dict[str, object]) -> Settings:
    flows = folder / "flows"
    shutil.copytree(shipped("flows", "shared"), flows / "shared")
    (flows / "bench").mkdir()
    (flows / "bench/reply.yaml").write_text(flow(), encoding="utf-8")
    store = {"database": folder / "bot.db", "recordings": folder / "recordings", "format": "wav"}
    return Settings.model_validate(
        {
            **exchange_settings,
            "flows": {"folder": flows, "published": folder / "published"},
            "store": store,
            "speaking": {"cache": folder / "prompts"},
        }
    )


def main() -> None:
    """Measure, print, save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=50, help="how many replies to measure")
    with tempfile.TemporaryDirectory(prefix="agi-bot-bench-") as folder:
        times, outcomes = asyncio.run(measured(parser.parse_args().turns, Path(folder)))
    print(f"{len(outcomes)} calls: {', '.join(outcomes)}")
    heard = [ms for ms in times if ms < UNHEARD_MS]
    figures = [
        Figure("reply_turns", len(heard), "turns"),
        Figure("reply_p50_ms", measure.percentile(heard, 0.5), "ms"),
        Figure("reply_p95_ms", measure.percentile(heard, 0.95), "ms"),
        Figure("reply_longest_ms", max(heard), "ms"),
        Figure("reply_answers_not_heard", len(times) - len(heard), "turns"),
    ]
    save("reply.json", figures, ("vosk",), NOTES)


if __name__ == "__main__":
    main()
