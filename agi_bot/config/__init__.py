"""Settings: ``agi-bot.yml`` and ``AGI_BOT_*`` variables, checked before anything starts."""

from __future__ import annotations

from agi_bot.config.load import load
from agi_bot.config.settings import Settings
from agi_bot.config.template import template

__all__ = ["Settings", "load", "template"]
