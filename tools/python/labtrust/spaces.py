"""Spaces, and how rows of numbers become observations in them.

The core writes one row of float32 an agent. ``Flat`` hands the row on, ``Named`` cuts it into the fields that it is made
of, with their own dtypes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from labtrust._core import World

Observation = Literal["flat", "dict"]
MaskPlace = Literal["info", "observation", "none"]
Rows = npt.NDArray[np.float32]

_DTYPES: dict[str, type[np.generic]] = {"choice": np.int64, "flag": np.int8, "count": np.int32, "seconds": np.float32}


def one_of(name: str, value: object, known: tuple[str, ...]) -> None:
    """Refuses a value that is not known."""
    if value not in known:
        raise ValueError(f"unknown {name}: {value!r}. Known: [{', '.join(known)}]")


class Flat:
    """An observation is its row: ``Box(0, bounds, (n,), float32)``."""

    def __init__(self, world: World) -> None:
        self.high = np.concatenate([np.full(length, high, np.float32) for _, _, length, high, _ in world.fields])

    def space(self) -> spaces.Space[Any]:
        """A new space: those of different agents are seeded one by one."""
        return spaces.Box(np.zeros_like(self.high), self.high, dtype=np.float32)

    def cut(self, rows: Rows) -> Iterator[Any]:
        """An observation an agent."""
        return iter(rows)


class Named:
    """An observation is a map of its fields, each in a space of its own."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.fields: list[tuple[str, slice | int, type[np.generic]]] = []
        at = 0
        for name, kind, length, _, _ in world.fields:
            # A choice is a scalar of the dtype that its space samples.
            place = at if kind == "choice" else slice(at, at + length)
            self.fields.append((name, place, _DTYPES[kind]))
            at += length

    def space(self) -> spaces.Space[Any]:
        """A new space."""
        return spaces.Dict(
            {
                name: spaces.Discrete(high + 1) if kind == "choice" else spaces.Box(0, high, (length,), _DTYPES[kind])
                for name, kind, length, high, _ in self.world.fields
            }
        )

    def cut(self, rows: Rows) -> Iterator[dict[str, Any]]:
        """An observation an agent."""
        columns = [rows[:, place].astype(dtype) for _, place, dtype in self.fields]
        names = [name for name, _, _ in self.fields]
        for values in zip(*columns):
            yield dict(zip(names, values))


class Masked:
    """An observation with its mask beside it, for learners that look for it there."""

    def __init__(self, inner: Flat | Named, actions: int) -> None:
        self.inner = inner
        self.actions = actions

    def space(self) -> spaces.Space[Any]:
        """A new space."""
        mask = spaces.Box(0, 1, (self.actions,), np.int8)
        return spaces.Dict({"observation": self.inner.space(), "action_mask": mask})

    def with_masks(self, rows: Rows, masks: npt.NDArray[np.int8]) -> Iterator[dict[str, Any]]:
        """An observation an agent."""
        for observation, mask in zip(self.inner.cut(rows), masks):
            yield {"observation": observation, "action_mask": mask}


def inner_of(world: World, observation: str) -> Flat | Named:
    """How rows become observations."""
    one_of("observation", observation, ("flat", "dict"))
    return Flat(world) if observation == "flat" else Named(world)
