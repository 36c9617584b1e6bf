"""What every part of agi-bot.yml is."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A part of agi-bot.yml; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", validate_default=True)
