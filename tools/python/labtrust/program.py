"""The ``labtrust`` program inside of Python: the same commands, options, files and exit codes."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence

from labtrust._core import run_command, run_program

# Agents in Python that a command starts run in this interpreter, unless another one is named.
os.environ.setdefault("LABTRUST_PYTHON", sys.executable)

Argument = str | os.PathLike[str]


class CommandFailed(Exception):
    """A command came to nothing; ``code`` is the exit code that the program would have."""

    def __init__(self, command: Sequence[Argument], code: int, message: str) -> None:
        super().__init__(message)
        self.command = [os.fspath(part) for part in command]
        self.code = code


def command(*arguments: Argument) -> None:
    """Runs a command of the program: ``command("run-benchmark", "--task", "throughput_sla", "--out", path)``.

    Raises :class:`CommandFailed` with what the program would have said.
    """
    failed = run_command(["labtrust", *(os.fspath(part) for part in arguments)])
    if failed is not None:
        raise CommandFailed(arguments, *failed)


def main() -> int:
    """The program as a command of the package."""
    # The native part does not look for Python's signals while it works.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return run_program(["labtrust", *sys.argv[1:]])
