"""Which flow an arriving call gets, and which attempt an answered call belongs to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from agi_bot.contracts import Call, Value
from agi_bot.errors import AgiBotError
from agi_bot.flow import Flow


class NoFlow(AgiBotError):
    """A call names no flow, or one that does not exist."""


class Flows(Protocol):
    """The flows by name, in their present version."""

    def get(self, name: str) -> Flow | None:
        """The flow ``name``; ``None`` when there is none."""

    def names(self) -> list[str]:
        """The names of all flows."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a call is about: the flow, the task's values, ``inbound`` or ``outbound``."""

    flow: Flow
    task: Mapping[str, Value] = field(default_factory=dict)
    direction: str = "inbound"


class Switchboard:
    """Flows by call: first what was expected under the call's id, then what the dialplan says, then routes.

    ``fits`` refuses (by :class:`~agi_bot.flow.TaskError`) a flow whose language or voice of
    this call cannot be had here.
    """

    def __init__(
        self,
        flows: Flows,
        routes: Mapping[str, str] | None = None,
        default: str = "",
        fits: Callable[[Flow], None] = lambda flow: None,
    ) -> None:
        self._flows = flows
        self._fits = fits
        self._routes = routes or {}
        self._default = default
        self._expected: dict[str, Assignment] = {}

    def expect(self, call_id: str, flow: str, task: Mapping[str, object]) -> Assignment:
        """The answered leg of an outbound call will come under ``call_id``.

        Raises :class:`NoFlow`, and :class:`~agi_bot.flow.TaskError` for task data that does not fit.
        """
        self._expected[call_id] = self._assigned(flow, task, "outbound")
        return self._expected[call_id]

    def expects(self, call_id: str) -> bool:
        """Whether the call is expected."""
        return call_id in self._expected

    def forget(self, call_id: str) -> None:
        """The call will not come."""
        self._expected.pop(call_id, None)

    def pick(self, call: Call) -> Assignment:
        """What ``call`` is about.  Raises :class:`NoFlow` and :class:`~agi_bot.flow.TaskError`."""
        expected = self._expected.pop(call.id, None)
        if expected is not None:
            return expected
        name = call.variables.get("flow") or self._routes.get(call.called) or self._default
        told = {key.removeprefix("task_"): value for key, value in call.variables.items() if key.startswith("task_")}
        return self._assigned(name, told, "inbound")

    def _assigned(self, name: str, raw: Mapping[str, object], direction: str) -> Assignment:
        """The flow ``name``, or the one that speaks the language which ``raw`` asks for."""
        flow = self._find(name)
        wish = flow.wish(raw)
        flow = self._find(flow.speaker(wish.language)).in_tongue(wish)
        self._fits(flow)
        return Assignment(flow, flow.read_task(raw), direction)

    def _find(self, name: str) -> Flow:
        if not name:
            raise NoFlow(
                "the call names no flow", cure="name one in the dialplan, or set flows.default or flows.routes"
            )
        flow = self._flows.get(name)
        if flow is None:
            known = ", ".join(self._flows.names()) or "none"
            raise NoFlow(f"there is no flow '{name}'", cure=f"the flows folder has: {known}")
        return flow
