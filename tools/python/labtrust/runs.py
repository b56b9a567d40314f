"""Benchmarks and studies from Python; what comes of them is what the program writes."""

from __future__ import annotations

import csv
import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labtrust.measures import SINGLE, Figure, Metric, chosen, of_log
from labtrust.program import Argument, command

if TYPE_CHECKING:
    import pandas
    import pyarrow

Folder = str | os.PathLike[str]

DEFAULT_SEED = 123
"""The seed of the first episode where nobody says one, as on the command line."""


@dataclass(frozen=True)
class Results:
    """A results file: ``document`` is all of it, ``path`` where it is, if it was kept.

    ``figures`` has what metrics in Python found, a map an episode, where there were any.
    """

    document: dict[str, Any]
    path: Path | None = None
    figures: list[dict[str, Figure]] = field(default_factory=list)

    @property
    def episodes(self) -> list[dict[str, Any]]:
        """``seed`` and ``metrics`` of every episode."""
        episodes: list[dict[str, Any]] = self.document["episodes"]
        return episodes

    def rows(self) -> list[dict[str, Any]]:
        """A row an episode: its seed, the figures that are single numbers or words, then those of metrics in Python."""
        told = self.figures or [{} for _ in self.episodes]
        return [
            {"seed": episode["seed"]}
            | {name: value for name, value in episode["metrics"].items() if isinstance(value, SINGLE)}
            | mine
            for episode, mine in zip(self.episodes, told)
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
    metrics: Sequence[str | Metric] = (),
    more: list[Argument] | None = None,
) -> Results:
    """Runs ``labtrust run-benchmark``.

    ``out`` keeps the results file, ``log`` writes a log; ``more`` are further options as on the command line. ``metrics`` are
    functions that add figures to the rows (:mod:`labtrust.measures`), or words: ``module:name``, or one of the entry points
    ``labtrust.metrics``. Raises :class:`labtrust.CommandFailed` where the program would have failed.
    """
    measures = chosen(metrics)
    if measures and any(os.fspath(word).startswith("--log-format") for word in more or []):
        raise ValueError("metrics read the log as JSON lines; leave --log-format out")
    options: list[Argument] = ["run-benchmark", "--task", task, "--episodes", str(episodes), "--quiet"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "results.json" if out is None else Path(out)
        if log is None and measures:
            log = Path(folder) / "log.jsonl"
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
        command(*options, *(more or []), "--out", path)
        document = _read(path)
        told = of_log(measures, task, document["episodes"], Path(log)) if measures and log is not None else []
        return Results(document, None if out is None else path, told)


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
