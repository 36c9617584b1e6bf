"""Prompts in memory and on disk."""

import os
from pathlib import Path

import pytest

from agi_bot.speech.prompts.store import PromptStore, prompt_key

A, B, C = (prompt_key(name) for name in "abc")
KB = bytes(1024)


def mb(kilobytes: float) -> float:
    return kilobytes / 1024


def test_the_key_tells_every_part_apart() -> None:
    keys = {
        prompt_key("a", "b"),
        prompt_key("ab", ""),
        prompt_key("a|b"),
        prompt_key("b", "a"),
        prompt_key("a", "b", 1),
    }
    assert len(keys) == 5
    assert prompt_key("a", 1) == prompt_key("a", "1")


def test_kept_prompts_outlive_the_process(tmp_path: Path) -> None:
    PromptStore(tmp_path).put(A, KB, keep=True)
    again = PromptStore(tmp_path)
    assert again.get(A) == KB
    assert again.disk_bytes == 1024
    assert A in again
    assert again.kept(A)


def test_others_do_not_touch_the_disk(tmp_path: Path) -> None:
    store = PromptStore(tmp_path)
    store.put(A, KB, keep=False)
    assert store.get(A) == KB
    assert not store.kept(A)
    assert list(tmp_path.rglob("*.pcm")) == []


def test_a_file_that_another_process_wrote_is_found(tmp_path: Path) -> None:
    store, other = PromptStore(tmp_path), PromptStore(tmp_path)
    other.put(A, KB, keep=True)
    assert A in store
    assert store.get(A) == KB


def test_the_oldest_used_goes_when_the_disk_limit_is_passed(tmp_path: Path) -> None:
    store = PromptStore(tmp_path, max_mb=mb(2), memory_mb=0)
    store.put(A, KB, keep=True)
    store.put(B, KB, keep=True)
    store.get(A)
    store.put(C, KB, keep=True)
    assert [key in store for key in (A, B, C)] == [True, False, True]
    assert store.disk_bytes == 2048


def test_the_limit_holds_for_what_was_there_before(tmp_path: Path) -> None:
    big = PromptStore(tmp_path)
    for index, key in enumerate((A, B, C)):
        big.put(key, KB, keep=True)
        os.utime(tmp_path / key[:2] / f"{key}.pcm", (index, index))
    small = PromptStore(tmp_path, max_mb=mb(1))
    assert [key in small for key in (A, B, C)] == [False, False, True]


def test_the_oldest_used_leaves_memory() -> None:
    store = PromptStore(None, memory_mb=mb(2))
    for key in (A, B):
        store.put(key, KB, keep=True)
    store.get(A)
    store.put(C, KB, keep=True)
    assert [key in store for key in (A, B, C)] == [True, False, True]


def test_a_prompt_bigger_than_the_memory_is_not_held() -> None:
    store = PromptStore(None, memory_mb=mb(0.5))
    store.put(A, KB, keep=False)
    assert store.get(A) is None


@pytest.mark.parametrize("content", [b"", b"odd"])
def test_a_broken_file_counts_as_absent(tmp_path: Path, content: bytes) -> None:
    PromptStore(tmp_path).put(A, KB, keep=True)
    (tmp_path / A[:2] / f"{A}.pcm").write_bytes(content)
    assert PromptStore(tmp_path).get(A) is None


def test_a_file_that_was_deleted_counts_as_absent(tmp_path: Path) -> None:
    store = PromptStore(tmp_path, memory_mb=0)
    store.put(A, KB, keep=True)
    (tmp_path / A[:2] / f"{A}.pcm").unlink()
    assert store.get(A) is None
    assert store.disk_bytes == 0


def test_a_full_disk_costs_the_file_not_the_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    store = PromptStore(tmp_path)
    monkeypatch.setattr("os.fdopen", full)
    store.put(A, KB, keep=True)
    assert store.get(A) == KB
    assert store.failed_writes == 1
    assert list(tmp_path.rglob("*.part")) == []


def test_a_directory_that_cannot_be_made_means_memory_only(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")
    store = PromptStore(tmp_path / "file" / "cache")
    store.put(A, KB, keep=True)
    assert store.get(A) == KB
    assert not store.kept(A)
