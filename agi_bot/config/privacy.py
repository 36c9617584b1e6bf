"""The options of privacy: what is masked, what is kept, and for how long."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from agi_bot.config.section import Section

Days = Annotated[int, Field(ge=0, le=36_500)]


class PrivacySettings(Section):
    """Numbers of seven and more digits (ID, card, phone), and how long calls are kept."""

    mask: bool = Field(True, description="Whether such numbers are masked in words, slots, webhooks and recordings.")
    keep_unmasked: bool = Field(
        False, description="Whether the words are also kept as they were, in a table of their own, for admins."
    )
    retention_days: Days = Field(0, description="Calls and recordings older than this are deleted; 0: never.")
    retention_by_flow: dict[str, Days] = Field(
        default_factory=dict, description="Days by flow, e.g. loan_repayment: 180; 0: never."
    )
    retention_by_campaign: dict[str, Days] = Field(
        default_factory=dict, description="Days by campaign; they win over those of the flow."
    )
