"""agi-bot.yml with every option, its default and its line of explanation, from the settings themselves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import yaml
from pydantic import BaseModel

from agi_bot.config.settings import Settings

HEAD = """\
# agi-bot.yml: every option with its default. Keep what you change, drop the rest.
# A variable AGI_BOT_SECTION__KEY (e.g. AGI_BOT_ASTERISK__AMI__SECRET) wins over this file.
"""


def template() -> str:
    """The text of a complete agi-bot.yml, UTF-8."""
    return HEAD + "\n".join(_section(Settings.model_validate({}), 0)) + "\n"


def _section(model: BaseModel, depth: int) -> Iterator[str]:
    indent = "  " * depth
    first = next(iter(type(model).model_fields))
    for name, info in type(model).model_fields.items():
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            head = f"{indent}# {(type(value).__doc__ or '').strip()}"
            yield head if depth else f"\n{head}"
            yield f"{indent}{name}:"
            yield from _section(value, depth + 1)
        else:
            blank = "\n" if depth == 0 and name != first else ""
            yield f"{blank}{indent}# {info.description}{_choices(info.annotation)}"
            yield f"{indent}{name}: {written(value)}".rstrip()


def _choices(annotation: Any) -> str:
    """All allowed values, where they can be counted."""
    return f" One of: {', '.join(map(str, get_args(annotation)))}." if get_origin(annotation) is Literal else ""


def written(value: Any) -> str:
    """``value`` as it is written behind an option's name."""
    plain = str(value) if isinstance(value, Path) else value
    if plain is None:
        return ""
    text = yaml.safe_dump(plain, allow_unicode=True, default_flow_style=True, width=1000).strip()
    return text.removesuffix("\n...").strip()
