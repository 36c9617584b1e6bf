"""Reading agi-bot.yml and the environment into :class:`Settings`, with errors that name the line."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from agi_bot.config.document import Document, all_of, read
from agi_bot.config.mistakes import PREFIX, mistakes
from agi_bot.config.settings import Settings
from agi_bot.errors import ConfigError
from agi_bot.written import syntax_slip

RESERVED = frozenset(
    f"AGI_BOT_{name}" for name in ("CACHE", "HEART", "MODELS_FOLDER", "MODELS_MIRROR", "NLU_CACHE", "RASA_FOLDER")
)
"""Variables of ours that are not settings."""


def load(path: Path | None = None, env: Mapping[str, str] | None = None) -> Settings:
    """Settings from ``path`` (none: ``agi-bot.yml`` if it is there) and ``AGI_BOT_SECTION__KEY`` variables.

    A variable wins over the file.  Relative paths count from the file's folder.  ``env``
    replaces the process environment in tests.
    Raises :class:`~agi_bot.errors.ConfigError` with file, line, column and cure for what cannot be
    used; :class:`~agi_bot.errors.ConfigErrors`, where more than one thing is wrong, with all of them.
    """
    file = path or Path("agi-bot.yml")
    if path is None and not file.exists():
        return _validate(Document(file), env)
    return _absolute(_validate(read(file), env), file.resolve().parent)


def _validate(document: Document, env: Mapping[str, str] | None) -> Settings:
    variables = _environment(env)
    try:
        return Settings.model_validate(_merge(document.data, variables))
    except ValidationError as error:
        raise all_of(mistakes(error.errors(include_url=False), document, variables)) from None


def _environment(env: Mapping[str, str] | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, text in sorted((os.environ if env is None else env).items()):
        if name.startswith(PREFIX) and name not in RESERVED:
            keys = name.removeprefix(PREFIX).lower().split("__")
            found = _merge(found, _nested(keys, _value(name, text)))
    return found


def _nested(keys: list[str], value: Any) -> dict[str, Any]:
    return {keys[0]: _nested(keys[1:], value) if keys[1:] else value}


def _value(name: str, text: str) -> Any:
    try:
        return yaml.safe_load(text) if text.lstrip()[:1] in ("{", "[") else text
    except yaml.YAMLError as error:
        raise ConfigError(f"{name}: this is not YAML: {text}", cure=syntax_slip(error, text).cure) from None


def _merge(below: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _absolute(settings: Settings, base: Path) -> Settings:
    """Relative paths count from the file's folder, not from where the command was typed."""
    flows, speaking, store = settings.flows, settings.speaking, settings.store
    flows.folder, flows.published = base / flows.folder, base / flows.published
    speaking.cache = base / speaking.cache
    speaking.voices = base / speaking.voices if speaking.voices else None
    speaking.recordings = base / speaking.recordings if speaking.recordings else None
    store.database, store.recordings = base / store.database, base / store.recordings
    web = settings.web
    web.certificate = base / web.certificate if web.certificate else None
    web.certificate_key = base / web.certificate_key if web.certificate_key else None
    settings.hearing.models = {name: base / path for name, path in settings.hearing.models.items()}
    settings.understanding.data = [base / path for path in settings.understanding.data]
    return settings
