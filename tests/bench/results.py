"""Figures, and the JSON files that they are kept in."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "bench-results"


@dataclass(frozen=True)
class Figure:
    """One measured value."""

    name: str
    value: float
    unit: str


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    return {"cpu": _cpu(), "cores": os.cpu_count(), "system": platform.platform()}


def save(file: str, figures: list[Figure], packages: tuple[str, ...] = (), notes: tuple[str, ...] = ()) -> Path:
    """Add ``figures`` to ``bench-results/file``, replacing those of the same name, and print them."""
    path = FOLDER / file
    report = json.loads(path.read_text("utf-8")) if path.exists() else {}
    kept = {str(known["name"]): known for known in report.get("figures", [])}
    kept |= {figure.name: asdict(figure) for figure in figures}
    versions = {"python": platform.python_version(), **{name: metadata.version(name) for name in packages}}
    FOLDER.mkdir(exist_ok=True)
    report = {
        "machine": machine(),
        "versions": {**report.get("versions", {}), **versions},
        "figures": list(kept.values()),
        "notes": sorted({*report.get("notes", []), *notes}),
    }
    path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", "utf-8")
    for figure in figures:
        print(f"{figure.name:45} {figure.value:>12g} {figure.unit}")
    return path


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
