"""Figures that are written in Python: functions that are asked after an episode what it was like.

A metric takes a :class:`Played` and gives figures by name. It sees what the program found and what is on record, so the
same log gives the same figures whoever plays. It changes no results file: its figures stand beside the program's own in
:meth:`labtrust.Results.rows`.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from labtrust import packages

Figure = int | float | str | bool | None
SINGLE = (int, float, str, bool, type(None))


@dataclass(frozen=True)
class Played:
    """An episode that is over."""

    task: str
    seed: int
    metrics: Mapping[str, Any]
    """The program's figures."""
    log: bytes
    """Its part of the log: JSON lines."""

    @cached_property
    def records(self) -> list[dict[str, Any]]:
        """The lines of the log."""
        return [json.loads(line) for line in self.log.splitlines()]


Metric = Callable[[Played], Mapping[str, Figure]]


def chosen(metrics: Sequence[str | Metric]) -> list[Metric]:
    """The metrics themselves; a word is ``module:name``, or one of the entry points ``labtrust.metrics``."""
    if isinstance(metrics, str) or callable(metrics):
        raise TypeError("metrics should be a list, even of one")
    found = [packages.made(packages.load("metrics", one), "__call__") if isinstance(one, str) else one for one in metrics]
    for metric, asked in zip(found, metrics):
        if not callable(metric):
            raise TypeError(f"the metric {asked!r} is no function")
    return found


def figures(metrics: Sequence[Metric], played: Played) -> dict[str, Figure]:
    """What all metrics say of an episode."""
    told: dict[str, Figure] = {}
    for metric in metrics:
        name_of_metric = getattr(metric, "__name__", type(metric).__name__)
        for name, value in metric(played).items():
            if name in played.metrics or name in told or name == "seed":
                raise ValueError(f"there is a figure {name!r} already; {name_of_metric} should give it another name")
            # Whoever counts with NumPy gets numbers of NumPy's.
            plain = value.item() if isinstance(value, np.generic) else value
            if not isinstance(plain, SINGLE):
                what = type(plain).__name__
                raise TypeError(f"{name_of_metric} gives {name!r} as {what}; a figure is a number, a word or None")
            told[name] = plain
    return told


def of_log(
    metrics: Sequence[Metric], task: str, episodes: Sequence[Mapping[str, Any]], log: Path
) -> list[dict[str, Figure]]:
    """Figures of every episode of a run, one episode's part of the log at a time."""
    with log.open("rb") as lines:
        parts = _parts(lines)
        number, part = next(parts, (-1, b""))
        rows = []
        for place, episode in enumerate(episodes):
            # An episode in which nothing was recorded has no part.
            mine = part if number == place else b""
            if number == place:
                number, part = next(parts, (-1, b""))
            rows.append(figures(metrics, Played(task, episode["seed"], episode["metrics"], mine)))
        return rows


def _parts(lines: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    for number, group in itertools.groupby(lines, lambda line: int(json.loads(line)["episode"])):
        yield number, b"".join(group)
