"""The composition root: settings in, a running bot out."""

from __future__ import annotations

from agi_bot.app.bot import Bot
from agi_bot.app.workshop import Workshop

__all__ = ["Bot", "Workshop"]
