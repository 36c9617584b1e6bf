"""YAML files that are a list of entries, each with its line for error messages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from agi_bot.errors import ConfigError


def read_list(path: Path, what: str) -> list[tuple[int, dict[str, Any]]]:
    """The mappings in ``path``, each with its line; ``what`` an entry is, for messages.

    Raises :class:`ConfigError` with file and line.
    """
    try:
        text = path.read_text(encoding="utf-8")
        root = yaml.compose(text, yaml.SafeLoader)
        values = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise ConfigError(f"{place}: {error.problem} (the file cannot be read)") from None
    if root is None:
        return []
    if not isinstance(values, list):
        raise ConfigError(f"{path}:1: a list is expected", cure=f"start each {what} with '- '")
    made = [(node.start_mark.line + 1, value) for node, value in zip(root.value, values, strict=True)]
    for line, value in made:
        if not isinstance(value, dict):
            raise ConfigError(f"{path}:{line}: an entry must be a {what} with its keys")
    return made
