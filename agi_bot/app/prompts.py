"""The fixed prompts of flows, under the keys by which the running bot looks for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from agi_bot.app.voices import AnyVoice, VoiceBox, voice_of
from agi_bot.conversation.courtesy import excuse
from agi_bot.flow import Flow
from agi_bot.flow.sayings import Saying, sayings
from agi_bot.flow.tongue import Tongue
from agi_bot.speech.prompts import Prompt, Rendered


@dataclass(frozen=True, slots=True)
class Ready:
    """What a flow says, in units: how many, how many are the same in every call, how many of those are ready."""

    flow: str
    prompts: int
    units: int
    fixed: int
    ready: int

    @property
    def share(self) -> float:
        """Share of the fixed units that are ready, 0..1."""
        return self.ready / self.fixed if self.fixed else 1.0


class Prompts:
    """The prompts of flows in the voices of ``box``; ``voice`` stands in for the flow's own, as in a task's data."""

    def __init__(self, box: VoiceBox, voice: str = "") -> None:
        self._box = box
        self._voice = voice

    def count(self, flow: Flow) -> int:
        """How many prompts :meth:`render` will go through.  Raises :class:`~agi_bot.errors.SpeechError`."""
        return sum(1 for _ in self._all(flow))

    async def render(self, flow: Flow, tell: Callable[[], None] = lambda: None) -> Rendered:
        """Keep on disk whatever is the same in every call; ``tell`` is called after each prompt.

        Raises :class:`~agi_bot.errors.SpeechError` for a voice that cannot be had.
        """
        report = Rendered()
        for voice, prompts in self._by_voice(flow):
            report.add(await voice.render(prompts, progress=lambda _: tell()))
        return report

    def ready(self, flow: Flow) -> Ready:
        """How much of ``flow`` could be spoken without waiting.  Raises :class:`~agi_bot.errors.SpeechError`."""
        said = list(self._all(flow))
        units = [(voice, unit) for voice, saying in said for unit in voice.plan(saying.spans)]
        fixed = [(voice, unit) for voice, unit in units if unit.fixed]
        here = sum(voice.has(unit) for voice, unit in fixed)
        return Ready(flow.name, len(said), len(units), len(fixed), here)

    def _by_voice(self, flow: Flow) -> list[tuple[AnyVoice, list[Prompt]]]:
        found: dict[int, tuple[AnyVoice, list[Prompt]]] = {}
        for voice, saying in self._all(flow):
            found.setdefault(id(voice), (voice, []))[1].append(saying.spans)
        return list(found.values())

    def _all(self, flow: Flow) -> Iterator[tuple[AnyVoice, Saying]]:
        dialects = [tag for tag, name in flow.script.languages.items() if name == flow.name]
        for tag in dict.fromkeys((flow.language, *dialects)):
            spoken = flow.in_tongue(Tongue(tag, self._voice))
            find = voice_of(spoken, self._box.find)
            for saying in sayings(spoken, also=(excuse(spoken.spoken),)):
                yield find(saying.voice, spoken.spoken), saying


def flows_below(paths: list[Path]) -> list[Path]:
    """The flow files of ``paths``: files as they are, folders searched, tests left out."""
    files = [file for path in paths for file in (sorted(path.rglob("*.yaml")) if path.is_dir() else [path])]
    return [file for file in files if "tests" not in file.parts]
