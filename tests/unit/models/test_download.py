from __future__ import annotations

import errno
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agi_bot.errors import ModelError
from agi_bot.models.download import Download

from .server import Shelf, serve

DATA = random.Random(3).randbytes(300_000)


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    with serve(Shelf({"model.zip": DATA})) as running:
        yield running


def download(shelf: Shelf, target: Path, **more: Any) -> list[tuple[int, int | None]]:
    seen: list[tuple[int, int | None]] = []
    Download(f"{shelf.url}/model.zip", target, pause_s=0, **more).run(lambda done, total: seen.append((done, total)))
    return seen


def test_a_file_comes_with_its_progress(shelf: Shelf, tmp_path: Path) -> None:
    seen = download(shelf, tmp_path / "model.zip")
    assert (tmp_path / "model.zip").read_bytes() == DATA
    assert seen[-1] == (len(DATA), len(DATA))
    assert [path.name for path in tmp_path.iterdir()] == ["model.zip"]


def test_a_broken_transfer_goes_on_where_it_stopped(shelf: Shelf, tmp_path: Path) -> None:
    shelf.break_after = [100_000, 100_000]
    seen = download(shelf, tmp_path / "model.zip")
    assert (tmp_path / "model.zip").read_bytes() == DATA
    assert [wanted for _, wanted in shelf.asked] == ["", "bytes=100000-", "bytes=200000-"]
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert {total for _, total in seen} == {len(DATA)}


def test_any_number_of_breaks_is_borne_while_something_comes(shelf: Shelf, tmp_path: Path) -> None:
    shelf.break_after = [10_000] * 29
    download(shelf, tmp_path / "model.zip", attempts=2)
    assert (tmp_path / "model.zip").read_bytes() == DATA


def test_another_pull_goes_on_where_the_last_one_gave_up(shelf: Shelf, tmp_path: Path) -> None:
    shelf.break_after = [150_000]
    shelf.fail_with = []
    with pytest.raises(ModelError, match="150000 bytes are kept"):
        download_then_refuse(shelf, tmp_path)
    shelf.fail_with = []
    download(shelf, tmp_path / "model.zip")
    assert (tmp_path / "model.zip").read_bytes() == DATA
    assert shelf.asked[-1][1] == "bytes=150000-"


def download_then_refuse(shelf: Shelf, tmp_path: Path) -> None:
    def refuse(done: int, total: int | None) -> None:
        shelf.fail_with = [503] * 10

    Download(f"{shelf.url}/model.zip", tmp_path / "model.zip", attempts=2, pause_s=0).run(refuse)


def test_a_file_that_changed_meanwhile_is_fetched_from_its_start(shelf: Shelf, tmp_path: Path) -> None:
    shelf.break_after = [150_000]
    with pytest.raises(ModelError):
        download_then_refuse(shelf, tmp_path)
    shelf.fail_with, shelf.files["model.zip"] = [], DATA[::-1]
    download(shelf, tmp_path / "model.zip")
    assert (tmp_path / "model.zip").read_bytes() == DATA[::-1]


@pytest.mark.parametrize("server", ["no ranges", "weak tags"])
def test_a_server_that_cannot_resume_is_asked_for_all_of_it(shelf: Shelf, tmp_path: Path, server: str) -> None:
    shelf.ranges, shelf.tag = server != "no ranges", "strong" if server == "no ranges" else "weak"
    shelf.break_after = [100_000]
    download(shelf, tmp_path / "model.zip")
    assert (tmp_path / "model.zip").read_bytes() == DATA


def test_a_busy_server_is_asked_again(shelf: Shelf, tmp_path: Path) -> None:
    shelf.fail_with = [503, 429, 500]
    download(shelf, tmp_path / "model.zip")
    assert len(shelf.asked) == 4


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_refusal_is_final_and_told(shelf: Shelf, tmp_path: Path, status: int) -> None:
    shelf.fail_with = [status]
    with pytest.raises(ModelError, match=str(status)) as caught:
        download(shelf, tmp_path / "model.zip")
    assert len(shelf.asked) == 1
    assert "--mirror" in caught.value.cure


def test_nobody_there_is_told_with_a_cure(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"127\.0\.0\.1:9/model\.zip could not be fetched") as caught:
        Download("http://127.0.0.1:9/model.zip", tmp_path / "m", attempts=2, pause_s=0).run(lambda *_: None)
    assert "--mirror FOLDER" in caught.value.cure


def test_a_bad_address_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        Download("http://[::1", tmp_path / "m", attempts=1, pause_s=0).run(lambda *_: None)


def test_a_full_disk_is_told_and_what_came_is_kept(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.open

    class Full:
        def __init__(self, file: Any) -> None:
            self._file, self._left = file, 65_536

        def __enter__(self) -> Full:
            return self

        def __exit__(self, *_: object) -> None:
            self._file.close()

        def write(self, data: bytes) -> None:
            if len(data) > self._left:
                raise OSError(errno.ENOSPC, "No space left on device")
            self._left -= len(data)
            self._file.write(data)

    def full(self: Path, mode: str = "r", *more: Any, **rest: Any) -> Any:
        file = real(self, mode, *more, **rest)
        return Full(file) if self.suffix == ".part" else file

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(ModelError, match="disk is full") as caught:
        download(shelf, tmp_path / "model.zip")
    assert "it goes on" in caught.value.cure
    monkeypatch.setattr(Path, "open", real)
    kept = (tmp_path / "model.zip.part").stat().st_size
    download(shelf, tmp_path / "model.zip")
    assert (tmp_path / "model.zip").read_bytes() == DATA
    assert shelf.asked[-1][1] == (f"bytes={kept}-" if kept else "")


def test_a_folder_that_cannot_be_written_is_told(shelf: Shelf, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be written"):
        download(shelf, tmp_path / "no-folder" / "model.zip")
