"""The driver without Ray: resume, retries, failures, damage. `LABTRUST` names the program; without it a stand-in is used."""

from __future__ import annotations

import hashlib
import json
import tempfile
import unittest
from pathlib import Path

from labtrust_ray.cells import Cell, Made, make_cell, missing_cells, read_plan
from labtrust_ray.drive import RETRIES, drive

CELLS = 6


def folder_of(cell: Cell, error: str | None = None) -> dict[str, bytes]:
    """The folder of a cell as the program leaves it."""
    results = f"results of {cell.cell_id}".encode()
    files = {} if error else {"results.json": hashlib.sha256(results).hexdigest()}
    record = {"kind": "labtrust.study_cell", "version": "0.1", "cell_id": cell.cell_id, "hash": cell.hash, "error": error}
    folder = {"cell.json": json.dumps({**record, "files": files}).encode()}
    return folder if error else {**folder, "results.json": results}


class Here:
    """Runs cells at once, as it is told to."""

    def __init__(self, codes: dict[int, list[int]] | None = None, stop_after: int | None = None) -> None:
        self.codes, self.asked, self.stop_after, self.most = codes or {}, [], stop_after, 0

    def places(self) -> int:
        return 1

    def submit(self, plan: bytes, cell: Cell) -> Cell:
        self.asked.append(cell.index)
        return cell

    def wait(self, handles: list[Cell]) -> list[tuple[Cell, Made]]:
        self.most = max(self.most, len(handles))
        if self.stop_after == 0:
            raise KeyboardInterrupt
        self.stop_after = None if self.stop_after is None else self.stop_after - 1
        cell = handles[0]
        code = self.codes.get(cell.index, [0]).pop(0) if self.codes.get(cell.index) else 0
        folder = folder_of(cell) if code == 0 else folder_of(cell, "it crashed") if code == 1 else {}
        return [(cell, Made(cell.index, code, f"exit {code}", folder))]


class Drive(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.plan, self.cells = Path(scratch.name, "plan.jsonl"), Path(scratch.name, "cells")
        lines = [{"kind": "labtrust.study_plan", "version": "0.1", "cells": CELLS}]
        lines += [{"index": i, "cell_id": f"cell_{i}", "hash": hashlib.sha256(b"%d" % i).hexdigest()} for i in range(CELLS)]
        self.plan.write_text("".join(json.dumps(line) + "\n" for line in lines))

    def test_all_cells_are_made_once_and_none_again(self) -> None:
        first = Here()
        report = drive(self.plan, self.cells, first)
        self.assertEqual((report.made, report.before, report.exit_code), (CELLS, 0, 0))
        self.assertEqual((sorted(first.asked), first.most), (list(range(CELLS)), 4))
        again = Here()
        self.assertEqual((drive(self.plan, self.cells, again).before, again.asked), (CELLS, []))
        self.assertEqual([path.name for path in self.cells.iterdir() if path.name.startswith(".")], [])

    def test_a_driver_that_was_killed_goes_on(self) -> None:
        with self.assertRaises(KeyboardInterrupt):
            drive(self.plan, self.cells, Here(stop_after=3))
        again = Here()
        report = drive(self.plan, self.cells, again)
        self.assertEqual((report.before, report.made, len(again.asked)), (3, 3, 3))

    def test_what_may_do_later_is_tried_again_and_what_fails_is_not(self) -> None:
        codes = {0: [75, -9, 75], 1: [1], 2: [75] * (RETRIES + 1)}
        here = Here(codes)
        report = drive(self.plan, self.cells, here)
        self.assertEqual((report.made, sorted(report.failed), report.exit_code), (4, ["cell_1", "cell_2"], 1))
        self.assertEqual((here.asked.count(0), here.asked.count(1), here.asked.count(2)), (4, 1, RETRIES + 1))
        # Why it failed is there to be read; it is still missing.
        cell = read_plan(self.plan)[1]
        self.assertIn("crashed", (self.cells / cell.hash / "cell.json").read_text())
        self.assertEqual([one.index for one in missing_cells(read_plan(self.plan), self.cells)], [1, 2])

    def test_a_damaged_folder_is_made_again(self) -> None:
        drive(self.plan, self.cells, Here())
        cell = read_plan(self.plan)[4]
        (self.cells / cell.hash / "results.json").write_bytes(b"half")
        here = Here()
        self.assertEqual((drive(self.plan, self.cells, here).made, here.asked), (1, [4]))
        self.assertEqual(missing_cells(read_plan(self.plan), self.cells), [])

    def test_what_is_no_plan_is_refused(self) -> None:
        for text in ['{"kind": "other"}\n', "", '{"kind": "labtrust.study_plan", "cells": 2}\n']:
            self.plan.write_text(text)
            with self.assertRaises(ValueError):
                drive(self.plan, self.cells, Here())

    def test_a_program_that_is_not_there_is_no_crash_of_a_cell(self) -> None:
        with self.assertRaises(OSError):
            make_cell("/nowhere/labtrust", [], b"", Cell(0, "cell_0", "0"))


if __name__ == "__main__":
    unittest.main()
