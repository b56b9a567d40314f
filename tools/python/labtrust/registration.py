"""Tells Gymnasium and PettingZoo that the tasks are there. ``import labtrust`` does it.

Gymnasium: ``gymnasium.make("labtrust/throughput_sla-v0")``; where nothing has imported this package,
``gymnasium.make("labtrust:labtrust/throughput_sla-v0")``. PettingZoo from 1.27 on:
``pettingzoo.make("parallel", "labtrust/throughput_sla-v0")``.
"""

from __future__ import annotations

import functools

import gymnasium

from labtrust._core import tasks

_VERSION = "v0"


def ids() -> dict[str, str]:
    """Registered ids by task."""
    return {task: f"labtrust/{task}-{_VERSION}" for task in tasks()}


def _agent_of(task: str) -> str:
    # Tasks of many workers number them.
    return "worker_0" if task.startswith("coord_") else "ops_0"


def register() -> None:
    """Registers every task, once."""
    for task, name in ids().items():
        if name not in gymnasium.registry:
            gymnasium.register(
                id=name,
                entry_point="labtrust.gym_env:LabGymEnv",
                kwargs={"task": task, "agent": _agent_of(task)},
            )
    try:
        from pettingzoo.env_registry.registration import aec_registry, parallel_registry
        from pettingzoo.env_registry.registration import register as tell
    except ImportError:
        # Before 1.27 there is no registry.
        return
    from labtrust.aec import env
    from labtrust.parallel import parallel_env

    for task, name in ids().items():
        if name not in parallel_registry:
            tell("parallel", name, functools.partial(parallel_env, task))
        if name not in aec_registry:
            tell("aec", name, functools.partial(env, task))
