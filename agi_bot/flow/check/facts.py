"""What the checker knows of the world outside the flow."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from agi_bot.flow.model import Flow


@dataclass(frozen=True, slots=True)
class NluFacts:
    """Training data, as the checker needs it: examples by intent, names of entities."""

    examples: Mapping[str, Sequence[str]] = field(default_factory=dict)
    entities: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything known; ``None`` means unknown, and rules about it are not applied.

    ``beside`` is the knowledge beside the flow that no other flow uses.  ``flows`` are those
    that the flow names for its other languages (None: not there), ``speak`` the voices of each.
    ``twins`` are other files with a flow of the same name.
    """

    nlu: NluFacts | None = None
    voices: Collection[str] | None = None
    transfers: Collection[str] | None = None
    knowledge: Collection[str] | None = None
    beside: Collection[str] = ()
    hooks: Collection[str] | None = None
    flows: Mapping[str, Flow | None] | None = None
    speak: Mapping[str, Collection[str]] | None = None
    twins: Collection[str] = ()
