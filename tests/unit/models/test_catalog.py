from __future__ import annotations

from pathlib import Path

import pytest

from agi_bot.errors import ConfigError, ModelError
from agi_bot.models import load_catalog
from agi_bot.shipped import shipped


def test_the_shipped_catalogue_has_the_models_that_a_call_centre_asks_for() -> None:
    catalog = load_catalog()
    names = {model.name for model in catalog.models}
    assert {"demo", "small-cn", "cn", "small-en-us", "en-us"} <= names
    assert len(names) == len(catalog.models)
    assert len({model.folder for model in catalog.models}) == len(catalog.models)


def test_every_model_has_a_size_a_licence_and_a_source() -> None:
    catalog = load_catalog()
    for model in catalog.models:
        assert model.licence
        assert model.shipped or (model.size > 1_000_000 and catalog.source(model).startswith("https://"))


@pytest.mark.parametrize("name", ["small-cn", "vosk-model-small-cn-0.22", "vosk-model-small-cn-0.22.zip"])
def test_a_model_is_found_by_each_of_its_names(name: str) -> None:
    assert load_catalog().find(name).name == "small-cn"


def test_a_wrong_name_is_told_with_the_nearest_right_one() -> None:
    with pytest.raises(ModelError) as caught:
        load_catalog().find("smal-cn")
    assert "did you mean small-cn?" in caught.value.cure


def test_a_mirror_has_the_same_archives() -> None:
    catalog = load_catalog()
    model = catalog.find("small-cn")
    assert catalog.source(model, "https://mirror.example/vosk/") == f"https://mirror.example/vosk/{model.archive}"
    assert catalog.source(model, "/srv/models") == f"/srv/models/{model.archive}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("publisher: x\nmodels: [", "2:"),
        ("models: []", "publisher"),
        ("publisher: x\nmodels: [{name: a, language: [zh], licence: y}]", "shipped"),
        ("publisher: x\nmodels: [{name: a, language: [zh], licence: y, archive: ../a.zip}]", "archive"),
        ("publisher: x\nmodels: [{name: a, language: [zh], licence: y, archive: a.zip, sha256: 12}]", "sha256"),
        ("publisher: x\nmodels: [{name: a, language: [zh], licence: y, archive: a.zip, colour: red}]", "colour"),
    ],
)
def test_a_catalogue_of_ones_own_is_checked(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "catalog.yml"
    path.write_text(text, "utf-8")
    with pytest.raises(ModelError) as caught:
        load_catalog(path)
    assert str(path) in caught.value.message
    assert told in caught.value.message


def test_a_missing_catalogue_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        load_catalog(tmp_path / "none.yml")


def test_what_did_not_come_with_the_installation_is_told() -> None:
    with pytest.raises(ConfigError, match="models/nothing"):
        shipped("models", "nothing")
