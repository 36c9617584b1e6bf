"""Where the files lie that come with agi-bot: models, flows, dialplans.

In a source tree (and an editable install) they lie beside the package; an installed wheel
puts them under ``<prefix>/share/agi-bot``.
"""

from __future__ import annotations

import sys
from pathlib import Path

from agi_bot.errors import ConfigError

_SOURCE = Path(__file__).resolve().parent.parent


def shipped(*parts: str) -> Path:
    """The shipped file or folder ``parts`` (``"models", "demo"``).

    Raises :class:`~agi_bot.errors.ConfigError` when it is nowhere.
    """
    places = (_SOURCE, Path(sys.prefix) / "share" / "agi-bot")
    for place in places:
        path = place.joinpath(*parts)
        if path.exists():
            return path
    looked = " and ".join(str(place) for place in places)
    raise ConfigError(
        f"{'/'.join(parts)} did not come with this installation (looked in {looked})", cure="install again"
    )
