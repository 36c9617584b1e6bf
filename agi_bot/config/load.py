"""Reading agi-bot.yml and the environment into :class:`Settings`, with errors that name the line."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from agi_bot.config.settings import Settings
from agi_bot.errors import ConfigError

PREFIX = "AGI_BOT_"
RESERVED = frozenset(
    f"AGI_BOT_{name}" for name in ("CACHE", "HEART", "MODELS_FOLDER", "MODELS_MIRROR", "NLU_CACHE", "RASA_FOLDER")
)
"""Variables of ours that are not settings."""
Location = tuple[int | str, ...]


def load(path: Path | None = None, env: Mapping[str, str] | None = None) -> Settings:
    """Settings from ``path`` (none: ``agi-bot.yml`` if it is there) and ``AGI_BOT_SECTION__KEY`` variables.

    A variable wins over the file.  Relative paths count from the file's folder.  ``env``
    replaces the process environment in tests.
    Raises :class:`~agi_bot.errors.ConfigError` for whatever cannot be used, with file and line.
    """
    file = path or Path("agi-bot.yml")
    if path is None and not file.exists():
        return _validate({}, None, file, env)
    node = _compose(file)
    if node is not None and not isinstance(node, yaml.MappingNode):
        raise ConfigError(f"{file}:1:1: not a list of sections", cure="agi-bot config shows the form")
    return _absolute(_validate(_plain(node), node, file, env), file.resolve().parent)


def _compose(file: Path) -> yaml.Node | None:
    try:
        return yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}", cure="agi-bot config > agi-bot.yml writes one") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: not UTF-8 (byte {error.start})", cure="save the file as UTF-8") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else str(file)
        raise ConfigError(f"{place}: {error.problem}", cure="agi-bot config shows the form") from error


def _plain(node: yaml.Node | None) -> dict[str, Any]:
    if node is None:
        return {}
    data = yaml.SafeLoader("").construct_document(node)
    return data if isinstance(data, dict) else {}


def _validate(data: dict[str, Any], node: yaml.Node | None, file: Path, env: Mapping[str, str] | None) -> Settings:
    variables = _environment(env)
    try:
        return Settings.model_validate(_merge(data, variables))
    except ValidationError as error:
        first = error.errors()[0]
        place = _place(first["loc"], variables, node, file)
        raise _explain(place, first["loc"], first["type"], first["msg"]) from error


def _environment(env: Mapping[str, str] | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, text in sorted((os.environ if env is None else env).items()):
        if name.startswith(PREFIX) and name not in RESERVED:
            keys = name.removeprefix(PREFIX).lower().split("__")
            found = _merge(found, _nested(keys, _value(text)))
    return found


def _nested(keys: list[str], value: Any) -> dict[str, Any]:
    return {keys[0]: _nested(keys[1:], value) if keys[1:] else value}


def _value(text: str) -> Any:
    return yaml.safe_load(text) if text.lstrip()[:1] in ("{", "[") else text


def _merge(below: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _place(loc: Location, variables: Mapping[str, Any], node: yaml.Node | None, file: Path) -> str:
    if _has(variables, loc):
        return PREFIX + "__".join(map(str, loc)).upper()
    mark = _find(node, loc)
    return f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else str(file)


def _has(data: Any, loc: Location) -> bool:
    for part in loc:
        if not isinstance(data, Mapping) or part not in data:
            return False
        data = data[part]
    return True


def _explain(place: str, loc: Location, kind: str, message: str) -> ConfigError:
    name = ".".join(str(part) for part in loc)
    if kind != "extra_forbidden":
        told = message.removeprefix("Value error, ")
        return ConfigError(f"{place}: {name}: {told}", cure="agi-bot config shows every option and its form")
    near = difflib.get_close_matches(str(loc[-1]), _known(loc[:-1]), n=1)
    cure = f"did you mean '{near[0]}'?" if near else f"known here: {', '.join(_known(loc[:-1]))}"
    return ConfigError(f"{place}: unknown option '{name}'", cure=cure)


def _known(loc: Location) -> list[str]:
    model: type[BaseModel] = Settings
    for part in loc:
        annotation = model.model_fields[str(part)].annotation if str(part) in model.model_fields else None
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        model = annotation
    return list(model.model_fields)


def _find(node: yaml.Node | None, loc: Location) -> yaml.Mark | None:
    """Where the key or item ``loc`` stands; the nearest parent that the file has."""
    mark = None
    for part in loc:
        if isinstance(node, yaml.MappingNode):
            pair = next(((key, value) for key, value in node.value if key.value == str(part)), None)
            if pair is None:
                return mark
            mark, node = pair[0].start_mark, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            mark = node.start_mark
    return mark


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
