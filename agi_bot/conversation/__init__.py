"""The centre of the house: one call, one dialogue, the engines between."""

from __future__ import annotations

from agi_bot.conversation.answerer import Plan
from agi_bot.conversation.conversation import Conversation
from agi_bot.conversation.engines import Engines, Limits, Script
from agi_bot.conversation.hooks import Address, HookError, Hooks, HttpHooks

__all__ = ["Address", "Conversation", "Engines", "HookError", "Hooks", "HttpHooks", "Limits", "Plan", "Script"]
