"""Flows: the scripts that authors write, their compiler, and the dialogue that runs them."""

from __future__ import annotations

from agi_bot.flow.dialogue import Dialogue
from agi_bot.flow.loader import load, load_text
from agi_bot.flow.model import Flow, TaskError
from agi_bot.flow.problem import BrokenFlow, Problem, Severity, Spot

__all__ = ["BrokenFlow", "Dialogue", "Flow", "Problem", "Severity", "Spot", "TaskError", "load", "load_text"]
