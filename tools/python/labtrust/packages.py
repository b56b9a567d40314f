"""What other packages bring: agents, methods and metrics, under names of theirs.

A package says so in its ``pyproject.toml``::

    [project.entry-points."labtrust.agents"]
    careful = "my_package.agents:Careful"

The name is then good wherever ``my_package.agents:Careful`` is. Nothing of a package is imported before it is asked for.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

Kind = Literal["agents", "methods", "metrics"]

_SPEC = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


class NotFound(LookupError):
    """Why there is nothing of that name."""


def offered(kind: Kind) -> dict[str, list[str]]:
    """Names that installed packages offer, sorted, and what each stands for; more than one thing is one too many."""
    found: dict[str, set[str]] = {}
    for entry in entry_points(group=f"labtrust.{kind}"):
        found.setdefault(entry.name, set()).add(_told(entry))
    return {name: sorted(found[name]) for name in sorted(found)}


def load(kind: Kind, spec: str) -> Any:
    """What ``module:Name`` is, or what a package offers as ``name``. Raises :class:`NotFound`."""
    if ":" not in spec:
        return _load_offered(kind, spec)
    if not _SPEC.fullmatch(spec):
        raise NotFound(f"{spec!r} should be module:Name")
    module_name, name = spec.split(":")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise NotFound(f"cannot import {module_name}: {error}") from error
    if not hasattr(module, name):
        raise NotFound(f"{module_name} has no {name}")
    return getattr(module, name)


def made(found: Any, method: str) -> Any:
    """What was found, ready to be used by its ``method``: a class, or a function that makes one, is called first."""
    makes_one = inspect.isclass(found) or (callable(found) and not hasattr(found, method))
    return found() if makes_one else found


def tell(player: Any, known: Mapping[str, Any]) -> None:
    """Begins an episode: calls ``reset``, where there is one, with those of the words that it takes."""
    reset: Callable[..., Any] | None = getattr(player, "reset", None)
    if reset is None:
        return
    taken = inspect.signature(reset).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in taken):
        reset(**known)
    else:
        reset(**{parameter.name: known[parameter.name] for parameter in taken if parameter.name in known})


def _load_offered(kind: Kind, name: str) -> Any:
    entries = list(entry_points(group=f"labtrust.{kind}", name=name))
    if not entries:
        known = ", ".join(offered(kind)) or "none"
        raise NotFound(
            f"no installed package offers {name!r} among labtrust.{kind}. Known: [{known}]; module:Name is good for any other"
        )
    if len(entries) > 1:
        told = ", ".join(sorted(map(_told, entries)))
        raise NotFound(f"{name} is ambiguous among labtrust.{kind}: {told}. Write it as module:Name")
    try:
        return entries[0].load()
    except (ImportError, AttributeError) as error:
        raise NotFound(f"cannot load {name}, which is {_told(entries[0])}: {error}") from error


def _told(entry: EntryPoint) -> str:
    package = entry.dist.name if entry.dist is not None else "an unknown package"
    return f"{entry.value} of {package}"
