"""What the bot says: forbidden words, length, the recording notice, protected parts, the way to opt out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePath

from agi_bot.flow.check.words import word_list
from agi_bot.flow.model import Flow
from agi_bot.flow.parts import Wording
from agi_bot.flow.places import TextPlace, texts
from agi_bot.flow.problem import Problem, Severity, Spot
from agi_bot.flow.script import Step
from agi_bot.flow.template import parse_template
from agi_bot.flow.tree import Path

LONGEST_PROMPT = {"zh-CN": 90, "en": 60}
"""Characters (Mandarin, about 20 s) or words (English, about 22 s) of one prompt."""
OPT_OUT = "stop_calling"
DO_NOT_CALL = "do_not_call"
_SLOT_LENGTH = {"zh-CN": 5, "en": 2}


def text_problems(flow: Flow) -> Iterator[Problem]:
    """Faults in the texts of ``flow``."""
    for place in texts(flow.script):
        yield from _bad_words(flow, place)
        yield from _too_long(flow, place)
    yield from _protected(flow)
    if not flow.script.part:
        yield from _notice(flow)
        yield from _opt_out(flow)


def industry(flow: Flow) -> str:
    """The flow's industry: its own word, or its folder's name."""
    return flow.script.industry or PurePath(flow.home).name


def _bad_words(flow: Flow, place: TextPlace) -> Iterator[Problem]:
    told: list[str] = []
    for bad in word_list(flow.language).found(place.text, industry(flow)):
        if any(bad.word in word for word in told):
            continue
        told.append(bad.word)
        spot = _inside(flow, place, bad.word)
        if bad.forbidden:
            yield Problem.at(spot, "forbidden-word", f"“{bad.word}” must not be said", bad.cure, text=place.text)
        else:
            message = f"“{bad.word}” is a sensitive word"
            severity = Severity.WARNING
            yield Problem.at(spot, "sensitive-word", message, bad.cure, text=place.text, severity=severity)


def _inside(flow: Flow, place: TextPlace, word: str) -> Spot:
    """The place of ``word`` itself, where the text stands in one line as it is written."""
    spot = flow.spot(place.path)
    lines = flow.text.split("\n")
    line = lines[spot.line - 1] if spot.line <= len(lines) else ""
    column = line.casefold().find(word, spot.column - 1)
    return Spot(spot.file, spot.line, column + 1) if column >= 0 else spot


def _too_long(flow: Flow, place: TextPlace) -> Iterator[Problem]:
    length, limit = _length(place.text, flow.language), LONGEST_PROMPT[flow.language]
    if length > limit:
        unit = "characters" if flow.language == "zh-CN" else "words"
        message = f"the prompt has about {length} {unit}, on the phone {limit} are long"
        cure = "shorten it, or say the rest after an answer"
        severity = Severity.WARNING
        yield flow.problem(place.path, "long-prompt", message, cure, text=place.text, severity=severity)


def _length(text: str, language: str) -> int:
    total = 0
    for piece in parse_template(text).pieces:
        if piece.slot:
            total += _SLOT_LENGTH[language]
        else:
            total += len(piece.text.split()) if language == "en" else sum(sign.isalnum() for sign in piece.text)
    return total


def _protected(flow: Flow) -> Iterator[Problem]:
    """Protected parts that do not occur in any text they belong to."""
    groups: dict[Path, list[TextPlace]] = {}
    for place in texts(flow.script):
        if place.protect and place.protect != ("all",):
            owner = place.path[:2] if place.path[:1] == ("steps",) and len(place.path) == 4 else place.path[:-2]
            groups.setdefault((*owner, "protect"), []).append(place)
    for path, places in groups.items():
        for part in places[0].protect:
            if not any(part in place.text for place in places):
                message = "the protected text does not occur in what is said"
                cure = "copy it exactly from the text, or write `protect: all`"
                yield flow.problem(path, "protect-not-found", message, cure, text=part)


def _notice(flow: Flow) -> Iterator[Problem]:
    """The recording notice must be in what every caller hears first, and be protected."""
    signs = word_list(flow.language).notice
    opening = list(_opening(flow))
    for name, step in opening:
        found = _notices(step.say, signs) or _notices(step.ask, signs)
        if found:
            yield from _unprotected(flow, name, step, found, signs)
            return
    spot = flow.key_spot(("steps", opening[0][0]))
    message = "the opening does not say that the call is recorded (every wording must)"
    cure = (
        "add “本次通话会被录音” to the first text" if flow.language == "zh-CN" else "add “this call is being recorded”"
    )
    yield Problem.at(spot, "missing-notice", message, cure, text=opening[0][0])


def _opening(flow: Flow) -> Iterator[tuple[str, Step]]:
    """The start step and those that follow it without an answer."""
    seen: set[str] = set()
    name: str | None = flow.script.start
    while name and name not in seen:
        seen.add(name)
        step = flow.script.steps[name]
        yield name, step
        ways = step.next or ()
        name = ways[0].next if len(ways) == 1 and not step.listens else None


def _notices(wording: Wording | None, signs: Sequence[str]) -> list[str]:
    """The texts of ``wording`` if all of them carry the notice."""
    found = [text for text in (wording.texts if wording else ()) if any(sign in text.casefold() for sign in signs)]
    return found if wording and len(found) == len(wording.texts) else []


def _unprotected(flow: Flow, name: str, step: Step, found: Sequence[str], signs: Sequence[str]) -> Iterator[Problem]:
    if not step.barge_in or step.protect == ("all",):
        return
    parts = [part for part in step.protect if any(sign in part.casefold() for sign in signs)]
    for text in found:
        if not any(part in text for part in parts):
            message = "the recording notice can be interrupted"
            cure = "add `protect:` with the notice, word for word"
            path: Path = ("steps", name, "say" if step.say and text in step.say.texts else "ask")
            yield flow.problem(path, "unprotected-notice", message, cure, text=text)


def _opt_out(flow: Flow) -> Iterator[Problem]:
    ways = flow.script.anywhere.get(OPT_OUT)
    if not ways:
        message = "a caller who wants no more calls is not heard"
        cure = f"add to `anywhere:` `{OPT_OUT}: {{say: ..., mark: {DO_NOT_CALL}, end: refused}}`"
        spot = flow.key_spot(("anywhere",)) if flow.script.anywhere else Spot(flow.file)
        yield Problem.at(spot, "missing-opt-out", message, cure)
        return
    for index, way in enumerate(ways):
        if DO_NOT_CALL not in way.mark:
            message = f"`{OPT_OUT}` does not mark the number as {DO_NOT_CALL}"
            path: Path = ("anywhere", OPT_OUT, index)
            yield flow.problem(path, "missing-opt-out", message, f"add `mark: {DO_NOT_CALL}`")
