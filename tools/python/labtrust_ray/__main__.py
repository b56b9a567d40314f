"""`labtrust-ray PLAN --cells DIR`: makes the cells of a plan on a Ray cluster."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .drive import drive, sorted_failures
from .on_ray import NoToken, OnRay


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 if all cells are there, 1 if one failed, 2 for a wrong call."""
    parser = argparse.ArgumentParser(prog="labtrust-ray", description=__doc__)
    parser.add_argument("plan", type=Path, help="the plan (`labtrust study plan`)")
    parser.add_argument("--cells", type=Path, help="directory of cells; `cells` beside the plan unless given")
    parser.add_argument("--address", help="head of the cluster, HOST:PORT; a cluster on this machine unless given")
    parser.add_argument("--places", type=int, help="processors to use without --address; all unless given")
    parser.add_argument("--program", default="labtrust", help="the labtrust program, on every node")
    parser.add_argument("--no-token", action="store_true", help="connect to a cluster that asks nobody for a token")
    parser.add_argument("--quiet", action="store_true", help="do not tell how far it is")
    options, passed_on = parser.parse_known_args(arguments)
    cells = options.cells or options.plan.parent / "cells"
    try:
        executor = OnRay(
            options.address,
            program=options.program,
            arguments=tuple(passed_on),
            places=options.places,
            require_token=not options.no_token,
        )
    except NoToken as error:
        parser.error(str(error))

    def tell(done: int, all_cells: int) -> None:
        if not options.quiet:
            print(f"{done} of {all_cells} cells", file=sys.stderr)

    try:
        report = drive(options.plan, cells, executor, progress=tell)
    except (OSError, ValueError) as error:
        print(f"labtrust-ray: {error}", file=sys.stderr)
        return 1
    finally:
        executor.close()
    for cell, said in sorted_failures(report):
        print(f"failed: {cell}: {said.strip()}", file=sys.stderr)
    print(f"Next: labtrust study merge {options.plan} --cells {cells} --out OUT", file=sys.stderr)
    return report.exit_code


if __name__ == "__main__":
    sys.exit(main())
