"""Everything that a flow may say, with the voice that says it: what can be rendered before a call.  Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agi_bot.flow.builtin import DEFAULTS
from agi_bot.flow.events import Span
from agi_bot.flow.model import Flow
from agi_bot.flow.mouth import voice_at
from agi_bot.flow.parts import Way
from agi_bot.flow.places import TextPlace, all_ways, texts
from agi_bot.flow.script import Script
from agi_bot.flow.template import protected_pieces
from agi_bot.flow.wording import fixed_words

_ANSWERED_WITH_A_DAY = {"date", "time", "datetime"}


@dataclass(frozen=True, slots=True)
class Saying:
    """A text and the name of its voice (empty: the language's own).

    A span that is not fixed has the name of its slot in the place of words.
    """

    voice: str
    spans: tuple[Span, ...]


def sayings(flow: Flow, also: Sequence[str] = (), voice: str = "") -> list[Saying]:
    """What ``flow``, its sub-flows and its built-in ways out may say, each once.

    ``also`` are texts that may be said anywhere; ``voice`` is that of the flow which calls this one.
    """
    found = [saying for place in texts(flow.script) for saying in _said(flow, place, voice)]
    anywhere = [*_builtin(flow), *also]
    found += [_saying(name, text, flow.language) for text in anywhere for name in _voices(flow, voice)]
    for part in flow.parts.values():
        found += sayings(part, also, voice_at(flow, "", voice))
    return list(dict.fromkeys(one for one in found if any(char.isalnum() for span in one.spans for char in span.text)))


def _said(flow: Flow, place: TextPlace, outer: str) -> Iterator[Saying]:
    """A text of no step is said in the voice of whichever step the dialogue is at."""
    voices = [voice_at(flow, place.step, outer)] if place.step else _voices(flow, outer)
    for voice in voices:
        yield _saying(voice, place.text, flow.language, place.protect)


def _voices(flow: Flow, outer: str) -> list[str]:
    return list(dict.fromkeys(voice_at(flow, step, outer) for step in ("", *flow.script.steps)))


def _saying(voice: str, text: str, language: str, protect: tuple[str, ...] = ()) -> Saying:
    everything = protect == ("all",)
    pieces = protected_pieces(text, () if everything else protect)
    spans = (
        Span(piece.slot or fixed_words(piece.text, language), everything or piece.protected, fixed=not piece.slot)
        for piece in pieces
    )
    return Saying(voice, tuple(spans))


def _builtin(flow: Flow) -> Iterator[str]:
    """What is said where the flow's author wrote nothing."""
    script, usual = flow.script, DEFAULTS[flow.language]
    for own, ladder in (
        (script.silence, usual.silence),
        (script.unclear, usual.unclear),
        (script.trouble, usual.trouble),
        (script.too_long, usual.too_long),
    ):
        if not own:
            yield from _texts(ladder)
    if _needs_filler(script):
        yield usual.filler
    kinds = {spec.type for step in script.steps.values() for spec in step.collect.values()}
    if kinds & _ANSWERED_WITH_A_DAY:
        yield from (usual.which_day, usual.what_time)


def _needs_filler(script: Script) -> bool:
    calls = (step.call for step in script.steps.values() if step.call is not None)
    return any(not call.filler for call in calls) or any(place.way.knowledge for place in all_ways(script))


def _texts(ladder: tuple[Way, ...]) -> Iterator[str]:
    for way in ladder:
        yield from way.say.texts if way.say else ()
