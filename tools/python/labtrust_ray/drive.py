"""Hands cells to an executor, a few more than it has places for, and keeps what comes back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from .cells import TRY_AGAIN, Cell, Made, missing_cells, read_plan, store_folder

#: Tasks in flight for every place of the cluster: enough that no place waits, and few enough that memory does not grow.
AHEAD = 4
#: Times that a cell is tried again that may do later, or whose process was killed.
RETRIES = 5


class Executor(Protocol):
    """Runs cells somewhere."""

    def places(self) -> int:
        """How many cells run at the same time, now."""

    def submit(self, plan: bytes, cell: Cell) -> Any:
        """Begins a cell; a handle of it."""

    def wait(self, handles: list[Any]) -> list[tuple[Any, Made]]:
        """Waits until at least one is done; those that are, with what came of them."""


@dataclass
class Report:
    """What a driver has done."""

    #: Cells that were there before.
    before: int = 0
    #: Cells that were made.
    made: int = 0
    #: Cells that failed, and the end of what was said.
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """0, or 1 if a cell failed."""
        return 1 if self.failed else 0


def drive(
    plan: Path,
    cells: Path,
    executor: Executor,
    *,
    progress: Callable[[int, int], None] = lambda done, all_cells: None,
) -> Report:
    """Makes the cells of a plan that are not in the directory yet. It may be killed and called again at any time."""
    content, planned = plan.read_bytes(), read_plan(plan)
    waiting = missing_cells(planned, cells)
    report = Report(before=len(planned) - len(waiting))
    # The last first: sizes come in the order of the spec, and the largest is often the last.
    tries: Counter[int] = Counter()
    flying: dict[Any, Cell] = {}
    while waiting or flying:
        while waiting and len(flying) < AHEAD * max(1, executor.places()):
            cell = waiting.pop()
            flying[executor.submit(content, cell)] = cell
        for handle, made in executor.wait(list(flying)):
            cell = flying.pop(handle)
            again = made.code == TRY_AGAIN or made.code < 0
            if again and tries[cell.index] < RETRIES:
                tries[cell.index] += 1
                waiting.append(cell)
                continue
            if made.folder:
                store_folder(cells, cell, made.folder)
            if made.code == 0:
                report.made += 1
            else:
                report.failed[cell.cell_id] = made.said
            progress(report.before + report.made + len(report.failed), len(planned))
    return report


def sorted_failures(report: Report) -> Iterable[tuple[str, str]]:
    """Failures by name."""
    return sorted(report.failed.items())
