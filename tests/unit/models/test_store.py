"""Pulling, as an admin does it: from a server, from a folder, with everything that goes wrong."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agi_bot.cli import models as command
from agi_bot.errors import ModelError
from agi_bot.models import Catalog, CatalogModel, ModelStore
from agi_bot.shipped import shipped

from .server import Shelf, serve


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo model, packed as a publisher packs models."""
    path = tmp_path_factory.mktemp("archive") / "vosk-model-tiny-0.1.zip"
    demo = shipped("models", "demo")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for folder in ("am", "conf", "graph"):
            for file in sorted((demo / folder).rglob("*")):
                packed.write(file, f"vosk-model-tiny-0.1/{file.relative_to(demo)}")
    return path


def catalog(archive: Path, publisher: str, **more: object) -> Catalog:
    model = {
        "name": "tiny",
        "language": ("zh-CN",),
        "licence": "Apache-2.0",
        "archive": archive.name,
        "size": archive.stat().st_size,
        "sha256": hashlib.sha256(archive.read_bytes()).hexdigest(),
    }
    demo = CatalogModel(name="demo", language=("zh-CN", "en"), licence="Apache-2.0", shipped="demo")
    return Catalog(publisher=publisher, models=(demo, CatalogModel.model_validate({**model, **more})))


@pytest.fixture
def shelf(archive: Path) -> Iterator[Shelf]:
    with serve(Shelf({archive.name: archive.read_bytes()})) as running:
        yield running


def store(tmp_path: Path, archive: Path, shelf: Shelf, **more: object) -> ModelStore:
    return ModelStore(tmp_path / "models", catalog(archive, shelf.url, **more))


def names(path: Path) -> list[str]:
    return sorted(file.name for file in path.iterdir())


def test_a_model_is_pulled_unpacked_and_whole(tmp_path: Path, archive: Path, shelf: Shelf) -> None:
    models = store(tmp_path, archive, shelf)
    path = models.pull("tiny")
    assert path == tmp_path / "models" / "vosk-model-tiny-0.1"
    assert models.verify("tiny") == []
    assert [found.model.name for found in models.installed()] == ["demo", "tiny"]
    assert names(tmp_path / "models") == ["vosk-model-tiny-0.1"], "nothing is left lying about"


def test_what_is_here_is_not_fetched_again(tmp_path: Path, archive: Path, shelf: Shelf) -> None:
    models = store(tmp_path, archive, shelf)
    models.pull("tiny")
    models.pull("tiny")
    assert len(shelf.asked) == 1
    models.pull("tiny", force=True)
    assert len(shelf.asked) == 2


def test_the_shipped_model_needs_no_pull(tmp_path: Path, archive: Path, shelf: Shelf) -> None:
    assert store(tmp_path, archive, shelf).pull("demo") == shipped("models", "demo")
    assert shelf.asked == []


@pytest.mark.parametrize("kind", ["sha256", "md5"])
def test_a_wrong_checksum_is_refused_and_thrown_away(tmp_path: Path, archive: Path, shelf: Shelf, kind: str) -> None:
    wrong = {"sha256": "0" * 64} if kind == "sha256" else {"sha256": "", "md5": "0" * 32}
    models = store(tmp_path, archive, shelf, **wrong)
    with pytest.raises(ModelError, match=kind):
        models.pull("tiny")
    assert names(tmp_path / "models") == []


def test_a_failed_pull_leaves_the_model_that_is_here_alone(tmp_path: Path, archive: Path, shelf: Shelf) -> None:
    store(tmp_path, archive, shelf).pull("tiny")
    shelf.files[archive.name] = b"<html>please log in</html>"
    with pytest.raises(ModelError):
        store(tmp_path, archive, shelf).pull("tiny", force=True)
    assert store(tmp_path, archive, shelf).verify("tiny") == []


def test_an_archive_that_is_no_model_is_refused(tmp_path: Path, archive: Path, shelf: Shelf) -> None:
    other = tmp_path / archive.name
    with zipfile.ZipFile(other, "w") as packed:
        packed.writestr("vosk-model-tiny-0.1/README", "nothing here")
    shelf.files[archive.name] = other.read_bytes()
    with pytest.raises(ModelError, match="not a Vosk model"):
        store(tmp_path, archive, shelf, sha256="").pull("tiny")
    assert not (tmp_path / "models" / "vosk-model-tiny-0.1").exists()


def test_a_folder_can_be_the_mirror(tmp_path: Path, archive: Path) -> None:
    models = ModelStore(tmp_path / "models", catalog(archive, "http://127.0.0.1:9"), mirror=str(archive.parent))
    assert models.pull("tiny").is_dir()
    assert archive.exists(), "the mirror keeps its archive"


def test_a_server_can_be_the_mirror(tmp_path: Path, archive: Path, shelf: Shelf) -> None:
    models = ModelStore(tmp_path / "models", catalog(archive, "http://127.0.0.1:9"), mirror=shelf.url + "/")
    assert models.pull("tiny").is_dir()


def test_an_empty_mirror_folder_is_told(tmp_path: Path, archive: Path) -> None:
    models = ModelStore(tmp_path / "models", catalog(archive, "x"), mirror=str(tmp_path))
    with pytest.raises(ModelError, match=r"the mirror folder has no .*tiny-0\.1\.zip"):
        models.pull("tiny")


def test_too_little_room_is_told_before_the_download(
    tmp_path: Path, archive: Path, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(ModelError, match="to unpack"):
        store(tmp_path, archive, shelf).pull("tiny")
    assert shelf.asked == []


def test_two_pulls_of_one_model_do_not_meet(tmp_path: Path, archive: Path, shelf: Shelf) -> None:
    models = store(tmp_path, archive, shelf)

    def again(*_: object) -> None:
        with pytest.raises(ModelError, match="pulled already"):
            models.pull("tiny")

    models.pull("tiny", again)
    assert len(shelf.asked) == 1


def test_what_is_not_here_cannot_be_verified(tmp_path: Path, archive: Path, shelf: Shelf) -> None:
    with pytest.raises(ModelError) as caught:
        store(tmp_path, archive, shelf).verify("tiny")
    assert "agi-bot models pull tiny" in caught.value.cure


@pytest.mark.parametrize("damage", ["gone", "shorter", "other"])
def test_later_damage_is_found(tmp_path: Path, archive: Path, shelf: Shelf, damage: str) -> None:
    models = store(tmp_path, archive, shelf)
    file = models.pull("tiny") / "am" / "final.mdl"
    data = file.read_bytes()
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(data[:-10] if damage == "shorter" else data[:-10] + bytes(10))
    problems = models.verify("tiny")
    assert str(file) in problems[0]


def test_damage_of_a_shipped_model_is_found(tmp_path: Path, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "demo"
    shutil.copytree(shipped("models", "demo"), copy, ignore=shutil.ignore_patterns("recipe"))
    monkeypatch.setattr("agi_bot.models.store.shipped", lambda *_: copy)
    models = ModelStore(tmp_path / "models", catalog(archive, "x"))
    assert models.verify("demo") == []
    words = copy / "words.en.txt"
    words.write_text(words.read_text("utf-8") + "more\n", "utf-8")
    assert models.verify("demo") == [f"{words} is not what it was (sha256 differs)"]
    (copy / "model.json").write_text("{", "utf-8")
    assert "model.json is not JSON" in models.verify("demo")[0]


def test_the_demo_model_is_whole() -> None:
    from agi_bot.models import load_catalog

    assert ModelStore(Path("nowhere"), load_catalog()).verify("demo") == []


# --- the command -------------------------------------------------------------------------


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, archive: Path, shelf: Shelf):  # type: ignore[no-untyped-def]
    monkeypatch.setattr(command, "load_catalog", lambda: catalog(archive, shelf.url))
    monkeypatch.setenv("AGI_BOT_MODELS_FOLDER", str(tmp_path / "models"))
    return lambda *words: CliRunner().invoke(command.app, list(words))


def test_list_pull_verify(run) -> None:  # type: ignore[no-untyped-def]
    assert "tiny" in run("list").output
    pulled = run("pull", "tiny")
    assert pulled.exit_code == 0
    assert "hearing: {models: {zh-CN: " in pulled.output
    verified = run("verify")
    assert (verified.exit_code, verified.output.split()) == (0, ["demo:", "ok", "tiny:", "ok"])


def test_list_of_one_language(run) -> None:  # type: ignore[no-untyped-def]
    assert "tiny" not in run("list", "--language", "en").output


def test_verify_fails_where_something_is_wrong(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    run("pull", "tiny")
    (tmp_path / "models/vosk-model-tiny-0.1/graph/words.txt").unlink()
    verified = run("verify", "tiny")
    assert verified.exit_code == 1
    assert "words.txt is missing" in verified.output
