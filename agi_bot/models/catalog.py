"""``models/catalog.yml``: which recognition models there are."""

from __future__ import annotations

import difflib
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from agi_bot.errors import ModelError
from agi_bot.shipped import shipped


class CatalogModel(BaseModel):
    """One model.  ``size`` is the archive's, bytes; 0 for a shipped one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    language: tuple[str, ...] = Field(min_length=1)
    licence: str
    note: str = ""
    shipped: str = ""
    archive: str = Field("", pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]*\.zip)?$")
    size: int = Field(0, ge=0)
    about: bool = False
    md5: str = Field("", pattern=r"^([0-9a-f]{32})?$")
    sha256: str = Field("", pattern=r"^([0-9a-f]{64})?$")
    url: str = ""

    @model_validator(mode="after")
    def _from_somewhere(self) -> CatalogModel:
        if bool(self.shipped) == bool(self.archive):
            raise ValueError(f"model {self.name}: give either 'shipped' or 'archive'")
        return self

    @property
    def folder(self) -> str:
        """Name of the model's folder once it is unpacked."""
        return self.archive.removesuffix(".zip") or self.shipped


class Catalog(BaseModel):
    """All models, and where their publisher keeps them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    publisher: str
    models: tuple[CatalogModel, ...]

    def find(self, name: str) -> CatalogModel:
        """By short name or folder name.  Raises :class:`~agi_bot.errors.ModelError` with the nearest right one."""
        by_name = {key: model for model in self.models for key in (model.name, model.folder, model.archive) if key}
        if name in by_name:
            return by_name[name]
        near = difflib.get_close_matches(name, by_name, n=1)
        hint = f"did you mean {by_name[near[0]].name}? " if near else ""
        raise ModelError(f"there is no model {name!r} in the catalogue", cure=f"{hint}agi-bot models list shows all")

    def source(self, model: CatalogModel, mirror: str = "") -> str:
        """URL or path of the archive; ``mirror`` is another URL or folder that has the same archives."""
        if mirror:
            return f"{mirror.rstrip('/')}/{model.archive}"
        return model.url or f"{self.publisher.rstrip('/')}/{model.archive}"


def load_catalog(path: Path | None = None) -> Catalog:
    """The shipped catalogue, or the one in ``path``.  Raises :class:`~agi_bot.errors.ModelError`."""
    return _load(path or shipped("models", "catalog.yml"))


@cache
def _load(path: Path) -> Catalog:
    try:
        return Catalog.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except OSError as error:
        raise ModelError(f"the model catalogue {path} cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise ModelError(f"{path}{where} is not YAML: {getattr(error, 'problem', error)}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise ModelError(f"{path}: {where}: {first['msg']}", cure="compare with the shipped catalogue") from error
