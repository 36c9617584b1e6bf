from __future__ import annotations

import shutil
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

from agi_bot.errors import ModelError
from agi_bot.models.archive import unpack


def pack(path: Path, entries: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in entries.items():
            packed.writestr(name, data)
    return path


def test_the_models_folder_is_found_inside(tmp_path: Path) -> None:
    archive = pack(tmp_path / "m.zip", {"vosk-model/am/final.mdl": b"x", "__MACOSX/junk": b""})
    folder = unpack(archive, tmp_path / "out")
    assert folder == tmp_path / "out" / "vosk-model"
    assert (folder / "am/final.mdl").read_bytes() == b"x"


def test_an_archive_without_a_folder_serves_too(tmp_path: Path) -> None:
    archive = pack(tmp_path / "m.zip", {"am/final.mdl": b"x", "conf/model.conf": b"y"})
    assert unpack(archive, tmp_path / "out") == tmp_path / "out"


@pytest.mark.parametrize(
    "name", ["../evil", "m/../../evil", "/etc/evil", "C:/evil", "..\\evil", "m/..\\..\\evil", "//host/evil"]
)
def test_names_that_lead_outside_are_refused(tmp_path: Path, name: str) -> None:
    archive = pack(tmp_path / "m.zip", {"m/good": b"", name: b"evil"})
    with pytest.raises(ModelError, match="evil"):
        unpack(archive, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.parent.glob("evil"))


def test_links_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("m/link")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as packed:
        packed.writestr(link, "/etc/passwd")
    with pytest.raises(ModelError, match="m/link"):
        unpack(tmp_path / "m.zip", tmp_path / "out")


@pytest.mark.parametrize("damage", ["cut", "garbled", "no zip", "empty"])
def test_damage_is_told(tmp_path: Path, damage: str) -> None:
    archive = pack(tmp_path / "m.zip", {"m/final.mdl": bytes(range(256)) * 400})
    data = bytearray(archive.read_bytes())
    if damage == "garbled":
        data[60:90] = b"\xff" * 30
    archive.write_bytes({"cut": data[:200], "garbled": data, "no zip": b"<html>", "empty": b""}[damage])
    with pytest.raises(ModelError, match="damaged"):
        unpack(archive, tmp_path / "out")


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def test_too_little_room_is_told_before_anything_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = pack(tmp_path / "m.zip", {"m/final.mdl": bytes(3_000_000)})
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1, 1, 1_000_000))
    with pytest.raises(ModelError, match="needs 3 MB on the disk, 1 MB are free"):
        unpack(archive, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_zip_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agi_bot.models.archive.LARGEST", 1_000_000)
    archive = pack(tmp_path / "m.zip", {"m/zeros": bytes(2_000_000)})
    with pytest.raises(ModelError, match="no speech model"):
        unpack(archive, tmp_path / "out")
