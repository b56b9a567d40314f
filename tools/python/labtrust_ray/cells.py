"""Plans, cells and their folders: what every executor needs. Nothing here knows of Ray."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

#: Exit code of a cell that may do later.
TRY_AGAIN = 75


@dataclass(frozen=True)
class Cell:
    """A line of a plan."""

    index: int
    cell_id: str
    hash: str


#: The files of a cell's folder, by name.
Folder = dict[str, bytes]


@dataclass
class Made:
    """What came of one call of `labtrust study cell`."""

    index: int
    #: Exit code of the program; negative if a signal ended it.
    code: int
    #: The end of what it said.
    said: str = ""
    #: The folder, also of a cell that crashed: it says why.
    folder: Folder = field(default_factory=dict)


def read_plan(path: Path) -> list[Cell]:
    """The cells of a plan, in its order. The program checks the plan; this only finds its cells."""
    lines = path.read_text(encoding="utf-8").splitlines()
    head = json.loads(lines[0]) if lines else {}
    if head.get("kind") != "labtrust.study_plan":
        raise ValueError(f"{path} is no plan: `labtrust study plan` makes one")
    cells = [json.loads(line) for line in lines[1:]]
    if len(cells) != head["cells"]:
        raise ValueError(f"{path} has {len(cells)} cells, and says that they are {head['cells']}")
    return [Cell(cell["index"], cell["cell_id"], cell["hash"]) for cell in cells]


def is_whole(folder: Path, cell: Cell) -> bool:
    """Whether a folder is that of the cell, has results, and is as it was written."""
    try:
        record = json.loads((folder / "cell.json").read_bytes())
        if record["hash"] != cell.hash or record["error"] is not None:
            return False
        digest = lambda name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
        return all(digest(name) == expected for name, expected in record["files"].items())
    except (OSError, ValueError, KeyError):
        return False


def missing_cells(plan: list[Cell], cells: Path) -> list[Cell]:
    """Cells without a whole folder in the directory."""
    return [cell for cell in plan if not is_whole(cells / cell.hash, cell)]


def make_cell(program: str, arguments: list[str], plan: bytes, cell: Cell) -> Made:
    """Makes one cell in a directory of its own and brings its folder back. Runs on a node.

    The program is a process: it is killed with the node, and whatever it does ends with it.
    """
    with tempfile.TemporaryDirectory(prefix="labtrust-cell-") as scratch:
        plan_path, cells = Path(scratch, "plan.jsonl"), Path(scratch, "cells")
        plan_path.write_bytes(plan)
        call = [program, "study", "cell", str(plan_path), "--index", str(cell.index), "--out", str(cells), *arguments]
        # One task has one processor.
        environment = {**os.environ, "RAYON_NUM_THREADS": "1"}
        done = subprocess.run(call, capture_output=True, text=True, env=environment, check=False)
        folder = cells / cell.hash
        files = {path.name: path.read_bytes() for path in folder.iterdir()} if folder.is_dir() else {}
        return Made(cell.index, done.returncode, done.stderr[-2000:], files)


def store_folder(cells: Path, cell: Cell, folder: Folder) -> None:
    """Puts a folder into the directory of cells: whole, or not at all. Equal ones do not disturb each other."""
    cells.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=cells))
    try:
        for name, content in folder.items():
            if Path(name).name != name:
                raise ValueError(f"{name!r} is no name of a file")
            with open(partial / name, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        target = cells / cell.hash
        if target.exists() and not is_whole(target, cell):
            shutil.rmtree(target)
        try:
            partial.rename(target)
        except OSError:
            # Another driver was faster, and has the same.
            if not is_whole(target, cell):
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
