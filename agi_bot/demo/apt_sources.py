"""The machine's own apt sources: which mirror carries Debian here.  Pure but for :func:`read`.

Two forms are read, see sources.list(5): one line an entry (``deb [options] uri suite
component...``) and deb822 paragraphs (``Types: URIs: Suites: Components: Signed-By:``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

DEVELOPMENT_SUITES = ("stable", "testing", "unstable", "sid")


@dataclass(frozen=True, slots=True)
class Source:
    """One archive of binary packages: where it is, what of it is used, who signs it."""

    uri: str
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str = ""


def read(folder: Path = Path("/etc/apt")) -> list[Source]:
    """Every active source of ``folder``/sources.list, sources.list.d/*.list and *.sources."""
    lists = [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*.list"))]
    found = [source for path in lists if path.is_file() for source in parse_list(_text(path))]
    for path in sorted((folder / "sources.list.d").glob("*.sources")):
        found.extend(parse_deb822(_text(path)))
    return found


def parse_list(text: str) -> Iterator[Source]:
    """Entries of the one-line form; comments and ``deb-src`` are left out."""
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if words[:1] == ["deb"]:
            options, rest = _options(words[1:])
            if len(rest) >= 2:
                yield Source(rest[0], (rest[1],), tuple(rest[2:]), options.get("signed-by", ""))


def parse_deb822(text: str) -> Iterator[Source]:
    """Entries of the deb822 form; disabled ones and sources of source code are left out."""
    for fields in _paragraphs(text):
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() == "no":
            continue
        suites, components = fields.get("suites", "").split(), fields.get("components", "").split()
        key = fields.get("signed-by", "")
        for uri in fields.get("uris", "").split():
            yield Source(uri, tuple(suites), tuple(components), key if "\n" not in key else "")


def debian_mirror(sources: Iterable[Source], codename: str) -> Source | None:
    """The source that brings Debian's main archive, not security updates; ``None`` if there is none."""
    wanted = (codename, *DEVELOPMENT_SUITES)
    for source in sources:
        if "main" in source.components and any(suite in wanted for suite in source.suites):
            return source
    return None


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _options(words: list[str]) -> tuple[dict[str, str], list[str]]:
    """Split ``[key=value ...] rest`` into options and rest."""
    if not words or not words[0].startswith("["):
        return {}, words
    end = next((n for n, word in enumerate(words) if word.endswith("]")), len(words) - 1)
    inside = " ".join(words[: end + 1]).strip("[]").split()
    return dict(pair.split("=", 1) for pair in inside if "=" in pair), words[end + 1 :]


def _paragraphs(text: str) -> Iterator[dict[str, str]]:
    fields: dict[str, str] = {}
    last = ""
    for line in [*text.splitlines(), ""]:
        if not line.strip():
            if fields:
                yield fields
            fields, last = {}, ""
        elif line.startswith("#"):
            continue
        elif line[0] in " \t":
            fields[last] = fields.get(last, "") + "\n" + line.strip()
        else:
            last, _, value = line.partition(":")
            last = last.strip().lower()
            fields[last] = value.strip()
