"""What is wrong with the settings of outbound calling and with what is told to other systems."""

from __future__ import annotations

from collections.abc import Iterator

from agi_bot.config import Settings
from agi_bot.findings import Finding, error
from agi_bot.flow.catalogue import Catalogue
from agi_bot.flow.versions import Library


def events(settings: Settings) -> Iterator[Finding]:
    """The rules of ``campaigns.events`` whose flow nobody wrote: their events would be refused."""
    flows = Catalogue(settings.flows.folder, library=Library(settings.flows.published))
    flows.refresh()
    for name, rule in settings.campaigns.events.items():
        if flows.get(rule.flow) is None:
            known = ", ".join(sorted(flows.names())) or "none"
            yield error(f"campaigns.events.{name}: there is no flow {rule.flow}", f"flows here: {known}")
