"""Benchmarks and studies from Python; what comes of them is what the program writes."""

from __future__ import annotations

import csv
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labtrust.program import Argument, command

if TYPE_CHECKING:
    import pandas
    import pyarrow

Folder = str | os.PathLike[str]


@dataclass(frozen=True)
class Results:
    """A results file: ``document`` is all of it, ``path`` where it is, if it was kept."""

    document: dict[str, Any]
    path: Path | None = None

    @property
    def episodes(self) -> list[dict[str, Any]]:
        """``seed`` and ``metrics`` of every episode."""
        episodes: list[dict[str, Any]] = self.document["episodes"]
        return episodes

    def rows(self) -> list[dict[str, Any]]:
        """A row an episode: its seed and the figures that are single numbers or words."""
        single = (int, float, str, bool, type(None))
        return [
            {"seed": episode["seed"]}
            | {name: value for name, value in episode["metrics"].items() if isinstance(value, single)}
            for episode in self.episodes
        ]

    def to_pandas(self) -> pandas.DataFrame:
        """The rows as a data frame; needs pandas."""
        import pandas

        return pandas.DataFrame(self.rows())

    def to_arrow(self) -> pyarrow.Table:
        """The rows as an Arrow table; needs pyarrow."""
        import pyarrow

        return pyarrow.Table.from_pylist(self.rows())


def run_benchmark(
    task: str,
    *,
    episodes: int = 1,
    seed: int | None = None,
    agents: str | None = None,
    timing: str | None = None,
    scale: str | None = None,
    coord_method: str | None = None,
    injection: str | None = None,
    out: Folder | None = None,
    log: Folder | None = None,
    more: list[Argument] | None = None,
) -> Results:
    """Runs ``labtrust run-benchmark``.

    ``out`` keeps the results file, ``log`` writes a log; ``more`` are further options as on the command line. Raises
    :class:`labtrust.CommandFailed` where the program would have failed.
    """
    options: list[Argument] = ["run-benchmark", "--task", task, "--episodes", str(episodes), "--quiet"]
    given: dict[str, Argument | None] = {
        "--seed": None if seed is None else str(seed),
        "--agents": agents,
        "--timing": timing,
        "--scale": scale,
        "--coord-method": coord_method,
        "--injection": injection,
        "--log": log,
    }
    for name, value in given.items():
        if value is not None:
            options += [name, value]
    options += more or []
    if out is not None:
        command(*options, "--out", out)
        return Results(_read(Path(out)), Path(out))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "results.json"
        command(*options, "--out", path)
        return Results(_read(path))


@dataclass(frozen=True)
class Study:
    """A study's folder."""

    path: Path

    def table(self, name: str = "summary/summary_coord.csv") -> list[dict[str, str]]:
        """A table of the study, as it is written."""
        with (self.path / name).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def to_pandas(self, name: str = "summary/summary_coord.csv") -> pandas.DataFrame:
        """A table of the study as a data frame; needs pandas."""
        import pandas

        return pandas.read_csv(self.path / name)


def run_study(spec: Folder, out: Folder, *, more: list[Argument] | None = None) -> Study:
    """Runs ``labtrust run-coordination-study --spec SPEC --out OUT``; ``more`` are further options."""
    command("run-coordination-study", "--spec", spec, "--out", out, "--progress", "none", "--quiet", *(more or []))
    return Study(Path(out))


def _read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document
