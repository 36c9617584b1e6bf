"""Recognition models: the catalogue, fetching them, and telling whether they are whole."""

from agi_bot.models.catalog import Catalog, CatalogModel, load_catalog
from agi_bot.models.store import Installed, ModelStore

__all__ = ["Catalog", "CatalogModel", "Installed", "ModelStore", "load_catalog"]
