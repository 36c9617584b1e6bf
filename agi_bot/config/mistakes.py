"""What is wrong with settings: every mistake with the place where it is written, and its cure."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from agi_bot.config.document import Document, Location, Place
from agi_bot.config.settings import Settings
from agi_bot.config.template import written
from agi_bot.errors import ConfigError
from agi_bot.written import narrow

PREFIX = "AGI_BOT_"
_FORM = "agi-bot config shows every option and its form"
_SECTIONS = frozenset({"dict_type", "model_type", "model_attributes_type"})
_KINDS: Mapping[str, str] = {
    "int_parsing": "is not a whole number",
    "int_type": "is not a whole number",
    "int_from_float": "is not a whole number",
    "float_parsing": "is not a number",
    "float_type": "is not a number",
    "bool_parsing": "is neither true nor false",
    "bool_type": "is neither true nor false",
    "path_type": "is not a path",
}


def mistakes(faults: Sequence[Any], document: Document, variables: Mapping[str, Any]) -> list[ConfigError]:
    """An error for each of pydantic's ``faults``, those of ``variables`` first, then in the order of the file."""
    told = [_Mistake(fault, document, variables) for fault in faults]
    unique = {str(error): error for error in (each.error() for each in sorted(told, key=lambda each: each.order))}
    return list(unique.values())


class _Mistake:
    """One fault of a validation, and where what it is about was written."""

    def __init__(self, fault: Any, document: Document, variables: Mapping[str, Any]) -> None:
        self._loc: Location = tuple(part for part in fault["loc"] if part != "[key]")
        self._kind: str = fault["type"]
        self._said = str(fault["msg"]).removeprefix("Value error, ")
        self._input = fault["input"]
        self._document = document
        self._place = None if _has(variables, self._loc) else document.find(self._loc)
        self._variable = _variable(variables, self._loc)

    @property
    def order(self) -> tuple[int, int]:
        return (self._place.line, self._place.column) if self._place and not self._variable else (0, 0)

    def error(self) -> ConfigError:
        if self._place and not self._variable and (error := self._slip(self._place)):
            return error
        said, cure = self._explained()
        return ConfigError(f"{self._where()}: {said}", cure=cure)

    def _where(self) -> str:
        if self._variable:
            return self._variable
        file = self._document.file
        return f"{file}:{self._place.line}:{self._place.column}" if self._place else str(file)

    def _slip(self, place: Place) -> ConfigError | None:
        slip = self._document.slip(place) if self._kind in _SECTIONS else None
        if slip is None:
            return None
        return ConfigError(f"{self._document.file}:{slip.line}:{slip.column}: {slip.message}", cure=slip.cure)

    def _explained(self) -> tuple[str, str]:
        name = ".".join(map(str, self._loc))
        if self._kind == "extra_forbidden":
            return f"unknown option '{name}'", self._nearest()
        if self._kind == "missing":
            return f"{name}: is missing", f"add `{self._loc[-1]}: ...` below it"
        if self._kind in _SECTIONS:
            return (
                f"{name}: needs `name: value` lines of its own",
                "write them below it, indented by two spaces more, or remove it",
            )
        if self._kind in ("string_type", "invalid_key"):  # not repeated: it may be a secret of digits
            return f"{name}: is read as something else than text", "put it in quotes"
        if self._kind in _KINDS:
            return f"{name}: '{self._input}' {_KINDS[self._kind]}", self._form()
        said = self._said.replace("Input should be", f"'{self._input}' is not")
        return f"{name}: {said[:1].lower()}{said[1:]}", self._form()

    def _form(self) -> str:
        """How the value is written instead: half-width, the one that is meant, or the default."""
        text = self._input if isinstance(self._input, str) else ""
        if narrowed := narrow(text):
            return f"write it with half-width signs: {narrowed}"
        info = _field(tuple(part for part in self._loc if isinstance(part, str)))
        choices = (
            [str(choice) for choice in get_args(info.annotation)] if info and self._kind == "literal_error" else []
        )
        if near := difflib.get_close_matches(text.lower(), list(choices), n=1):
            return f"did you mean '{near[0]}'?"
        if info and (default := written(info.get_default(call_default_factory=True))):
            return f"for example `{self._option()}: {default}`; {_FORM}"
        return _FORM

    def _option(self) -> str:
        return next(part for part in reversed(self._loc) if isinstance(part, str))

    def _nearest(self) -> str:
        key, known = str(self._loc[-1]), _known(self._loc[:-1])
        if narrow(key) in known:
            return f"write it with half-width signs: {narrow(key)}"
        if near := difflib.get_close_matches(key, known, n=1):
            return f"did you mean '{near[0]}'?"
        if sections := list(_sections_with(key)):
            return f"it belongs below `{'` or `'.join(sections)}:`, indented by two spaces more"
        return f"known here: {', '.join(known)}"


def _variable(variables: Mapping[str, Any], loc: Location) -> str:
    return PREFIX + "__".join(map(str, loc)).upper() if _has(variables, loc) else ""


def _has(data: Any, loc: Location) -> bool:
    for part in loc:
        if not isinstance(data, Mapping) or part not in data:
            return False
        data = data[part]
    return True


def _model(annotation: Any) -> type[BaseModel] | None:
    """The section of ``annotation``, or that of its values (``dict[str, HookSettings]``)."""
    for each in (annotation, *get_args(annotation)):
        if isinstance(each, type) and issubclass(each, BaseModel):
            return each
    return None


def _field(loc: Location) -> FieldInfo | None:
    """The option at ``loc``; of an item of a list or mapping, the option that holds it."""
    model: type[BaseModel] | None = Settings
    info = None
    for part in loc:
        if model is not None and str(part) in model.model_fields:
            info = model.model_fields[str(part)]
            model = _model(info.annotation)
    return info if loc and info and str(loc[-1]) in _known(loc[:-1]) else None


def _known(loc: Location) -> list[str]:
    model: type[BaseModel] | None = Settings
    for part in loc:
        if model is None:
            return []
        model = _model(model.model_fields[str(part)].annotation) if str(part) in model.model_fields else model
    return list(model.model_fields) if model else []


def _sections_with(key: str) -> Iterator[str]:
    for name, info in Settings.model_fields.items():
        model = info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel) and key in model.model_fields:
            yield name
