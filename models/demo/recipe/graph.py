"""HCLr.fst (sounds to words) and Gr.fst (words to sentences), through Debian's OpenFst tools.

libvosk composes the two at run time, and puts a caller's grammar in the place of Gr.fst. The
lookahead type needs ``olabel_lookahead-fst.so``, a name under which Debian does not install it.
"""

import math
import os
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from .kaldi import PHONES, forward_id, phone_id, self_loop_id
from .language_model import UNKNOWN
from .lexicon import Pronunciation
from .units import INDEX

_LOOKAHEAD_LIBRARY = "/usr/lib/x86_64-linux-gnu/libfstlookahead.so.22"
_LN2 = math.log(2)


@dataclass(frozen=True)
class Costs:
    """Added to every word, and to the way through the sounds of no word, in natural logs."""

    word: float = 0.7
    unknown: float = 1.0
    unknown_unit: float = -1.0


@dataclass
class _Graph:
    arcs: list[str] = field(default_factory=list)
    states: int = 4

    def new_state(self) -> int:
        self.states += 1
        return self.states - 1

    def arc(self, source: int, target: int, tid: int, word: int, cost: float) -> None:
        self.arcs.append(f"{source} {target} {tid} {word} {cost:.4f}")

    def phone(self, source: int, phone: int, word: int, cost: float, target: int = -1) -> int:
        """Enter a phone and stay in it as long as it lasts. Returns its state."""
        state = self.new_state() if target < 0 else target
        self.arc(source, state, forward_id(phone), word, cost + _LN2)
        if target < 0:
            self.arc(state, state, self_loop_id(phone), 0, _LN2)
        return state


_START, _LOOP, _END, _START_SILENCE = 0, 1, 2, 3

UnitBigram = dict[str, Counter[str]]
"""How often a unit follows another in foreign words; ``""`` is the edge of a word."""


def words_to_sounds(lexicon: list[Pronunciation], foreign: UnitBigram, ids: dict[str, int], costs: Costs) -> list[str]:
    """The text form of HCLr: any words in any order, silence between them or not."""
    graph = _Graph()
    graph.arc(_START, _LOOP, 0, 0, _LN2)
    graph.phone(_START, 1, 0, _LN2, target=_START_SILENCE)
    graph.arc(_START_SILENCE, _START_SILENCE, self_loop_id(1), 0, _LN2)
    graph.arc(_START_SILENCE, _LOOP, 0, 0, 0.0)
    for entry in lexicon:
        _add_word(graph, entry, ids[entry.word], costs)
    _add_foreign(graph, foreign, ids[UNKNOWN], costs)
    graph.arc(_END, _LOOP, 0, 0, _LN2)
    silence = graph.phone(_END, 1, 0, _LN2)
    graph.arc(silence, _LOOP, 0, 0, 0.0)
    return [*graph.arcs, *(f"{state}" for state in (_START, _START_SILENCE, _END, silence))]


def _add_word(graph: _Graph, entry: Pronunciation, word: int, costs: Costs) -> None:
    state = _LOOP
    last = len(entry.units) - 1
    for index, unit in enumerate(entry.units):
        place = "singleton" if last == 0 else "begin" if index == 0 else "internal"
        place = "end" if 0 < index == last else place
        cost = entry.cost + costs.word if index == 0 else 0.0
        phone = phone_id(INDEX[unit], place)
        state = graph.phone(state, phone, word if index == 0 else 0, cost)
    graph.arc(state, _END, 0, 0, 0.0)


def _add_foreign(graph: _Graph, foreign: UnitBigram, word: int, costs: Costs) -> None:
    """A way through any sounds: the likelier the order in foreign words, the cheaper."""
    units = [unit for unit in foreign if unit]
    begins = {unit: graph.new_state() for unit in units}
    middles = {unit: graph.new_state() for unit in units}
    ends = {unit: graph.new_state() for unit in units}
    for place, states in (("begin", begins), ("internal", middles), ("end", ends)):
        for unit, state in states.items():
            loop = self_loop_id(phone_id(INDEX[unit], place))
            graph.arc(state, state, loop, 0, _LN2)
    for state in ends.values():
        graph.arc(state, _END, 0, 0, 0.0)
    for unit, cost in _steps(foreign[""], costs.unknown + costs.word):
        graph.phone(_LOOP, phone_id(INDEX[unit], "begin"), word, cost, begins[unit])
    for previous in units:
        for unit, cost in _steps(foreign[previous], costs.unknown_unit):
            for states in (begins, middles):
                _step(graph, states[previous], unit, cost, middles, ends)


def _step(graph: _Graph, source: int, unit: str, cost: float, middles: dict[str, int], ends: dict[str, int]) -> None:
    number = INDEX[unit]
    graph.phone(source, phone_id(number, "internal"), 0, cost + 0.1, middles[unit])
    graph.phone(source, phone_id(number, "end"), 0, cost + 1.5, ends[unit])


def _steps(following: Counter[str], extra: float) -> list[tuple[str, float]]:
    total = following.total()
    return [(u, extra - math.log(n / total)) for u, n in following.items() if u and n > 1]


def write_graph(folder: Path, hclr: list[str], gr: list[str], words: list[str]) -> None:
    """Write HCLr.fst, Gr.fst, words.txt, disambig_tid.int into ``folder``.

    ``words[i]`` has the number ``i + 1`` in both texts; the lookahead type renumbers them.
    Raises RuntimeError with the tool's own words if an OpenFst tool fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "LD_LIBRARY_PATH": str(_lookahead_folder(folder))}
    (folder / "hclr.txt").write_text("\n".join(hclr) + "\n")
    _run(
        "fstcompile hclr.txt | fstarcsort --sort_type=olabel"
        " | fstconvert --fst_type=olabel_lookahead --save_relabel_opairs=relabel - HCLr.fst",
        folder,
        environment,
    )
    pairs = (line.split() for line in (folder / "relabel").read_text().splitlines())
    new = {int(old): int(renamed) for old, renamed in pairs}
    (folder / "gr.txt").write_text("\n".join(_renumber(line, new) for line in gr) + "\n")
    _run(
        "fstcompile --acceptor gr.txt | fstarcsort --sort_type=ilabel | fstconvert --fst_type=const - Gr.fst",
        folder,
        environment,
    )
    _write_numbers(folder, words, new)
    for scrap in ("hclr.txt", "gr.txt", "relabel", "olabel_lookahead-fst.so"):
        (folder / scrap).unlink()


def _write_numbers(folder: Path, words: list[str], new: dict[int, int]) -> None:
    numbered = sorted((new[index + 1], word) for index, word in enumerate(words))
    lines = ["<eps> 0", *(f"{word} {number}" for number, word in numbered)]
    (folder / "words.txt").write_text("\n".join(lines) + "\n", "utf-8")
    (folder / "disambig_tid.int").write_text(f"{2 * PHONES + 1}\n")


def _renumber(line: str, new: dict[int, int]) -> str:
    parts = line.split()
    if len(parts) == 4 and parts[2] != "0":
        parts[2] = str(new[int(parts[2])])
    return " ".join(parts)


def _lookahead_folder(folder: Path) -> Path:
    link = folder / "olabel_lookahead-fst.so"
    link.unlink(missing_ok=True)
    link.symlink_to(_LOOKAHEAD_LIBRARY)
    return folder.resolve()


def _run(command: str, folder: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{command}: {done.stderr.strip()}")
