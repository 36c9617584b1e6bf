"""Dialogue tests, as they are written in YAML beside the flows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, TypeAdapter

from agi_bot.flow.encoding import read_text
from agi_bot.flow.parts import Name, Part
from agi_bot.flow.problem import BrokenFlow, Problem, Spot
from agi_bot.flow.reading import read_as
from agi_bot.flow.tree import Path as TreePath
from agi_bot.flow.tree import parse


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


Texts = Annotated[tuple[str, ...], BeforeValidator(_as_list, json_schema_input_type=str | list[str])]


class Expected(Part):
    """What the bot must have said since the caller's last word."""

    contains: Texts = ()
    excludes: Texts = ()
    is_: Annotated[str | None, Field(alias="is")] = None
    step: str | None = None
    """Where the flow must be."""
    protected: str | None = None
    """Words that must be protected from interruption."""


def _expected(value: Any) -> Any:
    return {"contains": value} if isinstance(value, str | list) else value


Bot = Annotated[Expected, BeforeValidator(_expected, json_schema_input_type=str | list[str] | Expected)]


class Line(Part):
    """One line of a conversation: the bot's, the caller's, or something that happens."""

    bot: Annotated[Expected, BeforeValidator(_expected, json_schema_input_type=str | list[str] | Expected)] | None = (
        None
    )
    caller: str | None = None
    """What the caller says."""
    intent: str | None = None
    """Intent to assume; without it the interpreter is asked."""
    entities: dict[str, Any] = {}  # noqa: RUF012 - pydantic copies it
    """Entities to assume, kind: value."""
    interrupts: int | None = None
    """The caller begins after so many words of the prompt."""
    keys: str | None = None
    """Keys that the caller presses."""
    silence: int | None = None
    """How often the caller says nothing."""
    mood: Texts | None = None
    """How the caller seems to feel from now on."""
    hang_up: bool = False
    too_long: bool = False
    engine_failed: str | None = None
    hooks: dict[str, Any] = {}  # noqa: RUF012 - pydantic copies it
    """What hooks answer from now on."""


class TestCase(Part):
    """One rehearsed call and what must come of it."""

    __test__ = False  # not a test of pytest

    name: str
    flow: Name | None = None
    """Flow to test; by default the one with the file's name."""
    task: dict[str, Any] = {}  # noqa: RUF012 - pydantic copies it
    """Task data; by default the flow's examples."""
    now: str = "2026-11-24T09:00:00+08:00"
    """The clock when the call is answered."""
    seed: str = ""
    """Chooses the wordings of A/B tests, as a call's id does."""
    hooks: dict[str, Any] = {}  # noqa: RUF012 - pydantic copies it
    """What hooks answer: values, a list of values in turn, or `fails`."""
    talk: tuple[Line, ...]
    ends: str | None = None
    """Outcome; `~` when the call must still be running."""
    transfer: str | None = None
    result: str | None = None
    slots: dict[str, Any] = {}  # noqa: RUF012 - pydantic copies it
    tags: Texts | None = None
    steps: tuple[str, ...] | None = None
    """All steps in the order they were entered."""


@dataclass(frozen=True, slots=True)
class WrittenTest:
    """A test and where it is written."""

    case: TestCase
    flow: str
    spot: Spot
    lines: tuple[Spot, ...]


FOLDER = "tests"
"""Folder of the dialogue tests, beside the flows."""

_TESTS = TypeAdapter(tuple[TestCase, ...])


def read_tests(path: Path) -> list[WrittenTest]:
    """The tests in ``path``.  Raises :class:`~agi_bot.flow.problem.BrokenFlow`."""
    tree = parse(read_text(path), str(path))
    if tree.items is None:
        message = "a test file is a list of tests"
        raise BrokenFlow([Problem.at(tree.spot, "not-a-test", message, "begin each test with `- name: ...`")])
    cases = read_as(_TESTS, tree, _models)
    written = []
    for index, case in enumerate(cases):
        lines = tuple(tree.find((index, "talk", number)).spot for number in range(len(case.talk)))
        written.append(WrittenTest(case, case.flow or path.name.split(".")[0], tree.find((index,)).spot, lines))
    return written


def find_tests(path: Path) -> list[Path]:
    """The test files of the flow in ``path``: ``tests/NAME.yaml`` and ``tests/NAME.ANYTHING.yaml``."""
    found = sorted((path.parent / FOLDER).glob("*.yaml"))
    return [file for file in found if file.name.split(".")[0] == path.stem]


def orphans(path: Path) -> list[Path]:
    """Test files in the folder of ``path`` that belong to no flow."""
    flows = {flow.stem for flow in path.parent.glob("*.yaml")}
    return [file for file in sorted((path.parent / FOLDER).glob("*.yaml")) if file.name.split(".")[0] not in flows]


def _models(path: TreePath) -> Sequence[type[BaseModel]]:
    if "bot" in path[:-1]:
        return (Expected,)
    return (Line,) if "talk" in path[:-1] else (TestCase,)
