"""What an environment may be asked for beside its task, in one place for all interfaces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from labtrust._core import World
from labtrust.spaces import MaskPlace, Observation


class TaskTerms(TypedDict, total=False):
    """How a task is played; whatever is left out is the task's own choice."""

    max_cycles: int | None
    """Steps of an episode."""
    scale: str | None
    """Size of the task, where it has several."""
    timing: str | None
    """``explicit`` or ``simulated``."""
    crew: str | None
    """A set of agents, such as ``random_legal``, for the seats that are not played from outside."""
    injection: str | None
    """What disturbs the episodes, in tasks that allow it."""
    rewards: Mapping[str, float] | None
    """Parts of the reward in place of the task's, by their published names."""
    spaces_version: str
    """``0.2`` (29 actions, the whole lane) or ``0.1`` (6 actions, the published quantities)."""
    recorded: bool
    """Whether there is an audit chain. Without one an episode is faster, and nobody can check it."""
    strict_signatures: bool
    """Require signatures even where the task does not."""
    policy_dir: str | None
    """Policy directory to use instead of the built-in policy."""
    partner: str | None
    """Partner overlay."""


class Terms(TaskTerms, total=False):
    """What every interface takes."""

    metrics: bool
    """Whether the last ``info`` has the episode's figures, as ``metrics``."""


class EpisodeTerms(Terms, total=False):
    """What the interfaces for one episode at a time take as well."""

    observation: Observation
    """``flat`` (one float32 vector) or ``dict`` (the fields by name, each with its own dtype)."""
    action_mask: MaskPlace
    """Where masks are: in the ``info``, beside the ``observation``, or nowhere (``none``)."""
    render_mode: str | None
    """``ansi``, ``rgb_array`` or ``human``."""
    log: bool
    """Whether the episode's log is kept in memory."""


# Learners call steps cycles, and several versions have to do with spaces: the core has its own words for both.
_IN_THE_CORE = {"max_cycles": "max_steps", "spaces_version": "space"}


def open_world(task: str, agents: Sequence[str] | None, terms: Mapping[str, Any], *, log: bool = False) -> World:
    """What all episodes of a task have in common under these terms, played from outside by ``agents``."""
    unknown = sorted(terms.keys() - Terms.__optional_keys__)
    if unknown:
        raise TypeError(f"no options {unknown}. Known: [{', '.join(sorted(Terms.__optional_keys__))}]")
    words = {_IN_THE_CORE.get(name, name): value for name, value in terms.items()}
    return World(task, agents=agents, log=log, **words)
