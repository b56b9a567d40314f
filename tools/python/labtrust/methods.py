"""Coordination methods that are written in Python: one mind that says in every step what all agents do.

A method has ``decide(seen)``, which takes a :class:`Seen` and gives actions by agent; whoever is left out waits. It may have
``reset``, which takes those of ``seed``, ``task``, ``agents``, ``timing_mode``, ``horizon_s`` and ``dt_s`` that it names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from labtrust import packages
from labtrust._core import __version__
from labtrust.core import Action
from labtrust.measures import Figure, Metric, Played, chosen, figures
from labtrust.parallel import LabParallelEnv
from labtrust.runs import DEFAULT_SEED, Folder, Results

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from labtrust.terms import TaskTerms


class Seen:
    """What a method sees in a step: what each of its agents sees, and nothing more."""

    def __init__(
        self, env: LabParallelEnv, observations: dict[str, npt.NDArray[np.float32]], infos: dict[str, dict[str, Any]]
    ) -> None:
        self._env = env
        self.agents: list[str] = env.possible_agents
        self.step: int = infos[self.agents[0]]["step"]
        self.observations = observations
        """``float32 (n,)`` by agent, as the parallel environment's."""
        self.masks: dict[str, npt.NDArray[np.int8]] = {name: info["action_mask"] for name, info in infos.items()}
        """``int8 (actions,)`` by agent."""
        self.refused: dict[str, str] = {name: info.get("refused", "") for name, info in infos.items()}
        """Why an agent's last action was refused, or nothing."""

    def words(self, agent: str) -> dict[str, Any]:
        """All that an agent sees, in words: the observation of the agent protocol. Made when it is asked for."""
        return self._env.describe(agent)


class Method(Protocol):
    """What decides for all agents."""

    def decide(self, seen: Seen) -> Mapping[str, Action]:
        """An action for each agent that should not wait: an index, or an index and a map."""
        ...


def _method(method: str | Method | type[Method]) -> tuple[str, Method]:
    found: Any = packages.load("methods", method) if isinstance(method, str) else method
    made = packages.made(found, "decide")
    name = method if isinstance(method, str) else type(made).__name__
    if not callable(getattr(made, "decide", None)):
        raise TypeError(f"the method {name} has no decide(seen)")
    return name, made


def run_method(
    method: str | Method | type[Method],
    task: str,
    *,
    episodes: int = 1,
    seed: int = DEFAULT_SEED,
    metrics: Sequence[str | Metric] = (),
    log: Folder | None = None,
    agents: Sequence[str] | None = None,
    **terms: Unpack[TaskTerms],
) -> Results:
    """Lets a method direct the agents of a task, and measures what comes of it.

    ``method`` is a method, a class of methods, ``module:Name``, or one of the entry points ``labtrust.methods``. The episodes
    are those of ``labtrust run-benchmark --seed SEED``; ``log`` writes the log that the program would write. ``metrics`` are
    as in :func:`labtrust.run_benchmark`, ``agents`` as in :func:`labtrust.parallel_env`, ``terms`` the fields of
    :class:`labtrust.terms.TaskTerms`.
    """
    name, mind = _method(method)
    measures = chosen(metrics)
    if episodes < 1:
        raise ValueError(f"{episodes} episodes; there should be one at least")
    env = LabParallelEnv(task, agents=agents, log=log is not None or bool(measures), metrics=True, **terms)
    world = env.episodes.world
    facts = {
        "task": task,
        "agents": list(env.possible_agents),
        "timing_mode": world.timing,
        "horizon_s": world.max_steps * world.dt_s,
        "dt_s": world.dt_s,
    }
    seeds = list(range(seed, seed + episodes))
    rows: list[dict[str, Any]] = []
    told: list[dict[str, Figure]] = []
    file = None if log is None else Path(log).open("wb")
    try:
        for one in seeds:
            found = _play(env, mind, one, facts)
            if file is not None:
                file.write(env.log())
            rows.append({"seed": one, "metrics": found})
            if measures:
                told.append(figures(measures, Played(task, one, found, env.log())))
    finally:
        if file is not None:
            file.close()
    document = {
        "kind": "labtrust.python_method",
        "version": "0.1",
        "program_version": __version__,
        "method": name,
        **facts,
        "seeds": seeds,
        "num_episodes": episodes,
        "episodes": rows,
    }
    return Results(document, figures=told)


def _play(env: LabParallelEnv, mind: Method, seed: int, facts: Mapping[str, Any]) -> dict[str, Any]:
    observations, infos = env.reset(seed=seed)
    packages.tell(mind, {**facts, "seed": seed})
    while env.agents:
        actions = mind.decide(Seen(env, observations, infos))
        if not isinstance(actions, Mapping):
            raise TypeError(f"decide gave a {type(actions).__name__}; it should be a map of actions by agent")
        observations, _, _, _, infos = env.step(actions)
    metrics: dict[str, Any] = infos[env.possible_agents[0]]["metrics"]
    return metrics
