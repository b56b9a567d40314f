"""The official tests of PettingZoo and Gymnasium, for every task, with warnings as errors.

PettingZoo's API test warns of every observation that is no array, unless the environment is in its own list; masks beside
the observation need a map. Those two sentences are let through there, and nothing else is.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import gymnasium
import pettingzoo
import pytest
from gymnasium.utils.env_checker import check_env
from pettingzoo.test import (
    api_test,
    max_cycles_test,
    parallel_api_test,
    parallel_seed_test,
    render_test,
    seed_test,
)

import labtrust

TASKS = labtrust.tasks()
MASKS = ["info", "observation", "none"]
NO_ARRAY = [
    "Observation is not a NumPy array",
    "Observation space for each agent probably should be gymnasium.spaces.box or gymnasium.spaces.discrete",
]


@contextlib.contextmanager
def strict(action_mask: str = "info", observation: str = "flat") -> Iterator[None]:
    """No warnings, no talk."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("error")
        if action_mask == "observation" or observation == "dict":
            for sentence in NO_ARRAY:
                warnings.filterwarnings("ignore", message=sentence)
        yield


def makers(task: str, **options: Any) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def parallel(**more: Any) -> Any:
        return labtrust.parallel_env(task, **options, **more)

    def turns(**more: Any) -> Any:
        return labtrust.env(task, **options, **more)

    return parallel, turns


@pytest.mark.parametrize("action_mask", MASKS)
@pytest.mark.parametrize("task", TASKS)
def test_both_interfaces(task: str, action_mask: str) -> None:
    parallel, turns = makers(task, action_mask=action_mask)
    with strict(action_mask):
        parallel_api_test(parallel(), num_cycles=60)
        api_test(turns(), num_cycles=60)


@pytest.mark.parametrize("options", [{"spaces_version": "0.1"}, {"observation": "dict"}], ids=["v0.1", "dict"])
@pytest.mark.parametrize("task", TASKS)
def test_other_forms(task: str, options: dict[str, str]) -> None:
    parallel, turns = makers(task, **options)
    with strict(**({"observation": "dict"} if "observation" in options else {})):
        parallel_api_test(parallel(), num_cycles=30)
        api_test(turns(), num_cycles=30)


@pytest.mark.parametrize("action_mask", MASKS)
@pytest.mark.parametrize("task", TASKS)
def test_seeds(task: str, action_mask: str) -> None:
    parallel, turns = makers(task, action_mask=action_mask)
    with strict(action_mask):
        seed_test(turns, num_cycles=40)
        parallel_seed_test(parallel, num_cycles=40)


@pytest.mark.parametrize("task", TASKS)
def test_max_cycles(task: str) -> None:
    parallel, turns = makers(task)
    with strict():
        max_cycles_test(SimpleNamespace(parallel_env=parallel, env=turns))


@pytest.mark.parametrize("task", TASKS)
def test_render(task: str) -> None:
    _, turns = makers(task)
    with strict():
        render_test(turns)


@pytest.mark.parametrize("action_mask", MASKS)
@pytest.mark.parametrize("task", TASKS)
def test_gymnasium(task: str, action_mask: str) -> None:
    with strict(action_mask):
        env = gymnasium.make(f"labtrust/{task}-v0", action_mask=action_mask)
        check_env(env.unwrapped, skip_render_check=False)
        env.close()


def test_the_registry_of_pettingzoo_knows_every_task() -> None:
    if not hasattr(pettingzoo, "make"):
        pytest.skip("PettingZoo has no registry before 1.27")
    with strict():
        for task in TASKS:
            assert pettingzoo.make("parallel", f"labtrust/{task}-v0").reset(seed=1)
            pettingzoo.make("aec", f"labtrust/{task}-v0").reset(seed=1)
