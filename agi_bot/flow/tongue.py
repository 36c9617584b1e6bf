"""The language and the voice of one call, where its task asks for others than the flow's own.  Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

LANGUAGE, VOICE = "language", "voice"
WISHES = frozenset({LANGUAGE, VOICE})
"""Task data that every flow takes, declared or not."""

_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_VOICE = re.compile(r"[\w-]{1,64}")


@dataclass(frozen=True, slots=True)
class Tongue:
    """``language`` is a tag (``en``, ``yue``), ``voice`` a voice's name; empty: as the flow says."""

    language: str = ""
    voice: str = ""


def family(tag: str) -> str:
    """``zh`` of ``zh-CN``: what a model and training data belong to."""
    return tag.replace("_", "-").split("-")[0].lower()


def wished(raw: Mapping[str, object]) -> Tongue:
    """What the task data ``raw`` ask for.  Raises :class:`ValueError` for what is no tag and no name."""
    language, voice = (str(raw.get(name) or "").strip() for name in (LANGUAGE, VOICE))
    if language and not _TAG.fullmatch(language):
        raise ValueError(f"`{LANGUAGE}`: {language[:40]!r} is no language tag such as en or zh-CN")
    if voice and not _VOICE.fullmatch(voice):
        raise ValueError(f"`{VOICE}`: {voice[:40]!r} is no name of a voice")
    return Tongue(language, voice)


def speaker(name: str, own: str, others: Mapping[str, str], wanted: str) -> str:
    """The flow that speaks ``wanted`` for the flow ``name`` in the language ``own``.

    ``others`` are the languages that it offers besides, each with its flow.  Raises :class:`ValueError`.
    """
    offered = {tag.lower(): flow for tag, flow in others.items()}
    for tag in (wanted.lower(), family(wanted)):
        if tag in offered:
            return offered[tag]
    if not wanted or family(wanted) == family(own):
        return name
    raise ValueError(f"`{LANGUAGE}`: the flow speaks {', '.join((own, *others))}, not {wanted}")
