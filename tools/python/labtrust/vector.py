"""Many episodes in one buffer, for Gymnasium's vector interface."""

from __future__ import annotations

import json
import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv as GymVectorEnv

from labtrust import _core
from labtrust.spaces import Flat
from labtrust.terms import Terms, open_world

if TYPE_CHECKING:
    from typing_extensions import Unpack


class VectorEnv(GymVectorEnv[Any, Any, Any]):
    """``num_envs`` episodes of a task that step together, without Python's lock, in one contiguous buffer.

    An environment is a whole episode with all of its agents: an observation is ``float32 (agents, n)``, an action
    ``MultiDiscrete`` with an index an agent, the reward the mean over the agents. The ``info`` has ``action_mask`` (int8
    ``(num_envs, agents, actions)``), ``agent_rewards`` (``(num_envs, agents)``), ``seed`` (``(num_envs,)``), and
    ``metrics`` with ``_metrics``, a row of maps, where ``metrics=True`` and an episode has ended.

    ``terms`` are the fields of :class:`labtrust.terms.Terms`; ``metrics`` is off unless asked for.

    Environment i begins with seed s + i and goes on with s + i + num_envs, and so on. ``threads`` changes nothing but the
    speed. With ``copy=False`` arrays are those of the buffer, which the next step overwrites.
    """

    def __init__(
        self,
        task: str = "throughput_sla",
        num_envs: int = 1,
        *,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        threads: int = 1,
        copy: bool = True,
        agents: Sequence[str] | None = None,
        **terms: Unpack[Terms],
    ) -> None:
        mode = AutoresetMode(autoreset_mode)
        if mode == AutoresetMode.DISABLED:
            raise ValueError("episodes begin anew by themselves; autoreset_mode is NEXT_STEP or SAME_STEP")
        # The figures of all episodes take time, so they are made where they are asked for.
        self._measured = terms.setdefault("metrics", False)
        self.world = open_world(task, agents, terms)
        self._same_step = mode == AutoresetMode.SAME_STEP
        self.core = _core.Batch(self.world, num_envs, self._same_step, threads)
        self.metadata = {"render_modes": [], "autoreset_mode": mode}
        self.render_mode = None
        self.num_envs = num_envs
        self.agents = self.world.agents
        self._copy = copy
        row = Flat(self.world).high
        people, actions = len(self.agents), len(self.world.actions)
        self.single_observation_space = spaces.Box(np.zeros((people, len(row)), np.float32), np.tile(row, (people, 1)))
        self.single_action_space = spaces.MultiDiscrete([actions] * people)
        shape = (num_envs, people, len(row))
        high = np.broadcast_to(row, shape)
        self.observation_space = spaces.Box(np.zeros(shape, np.float32), np.array(high), dtype=np.float32)
        self.action_space = spaces.MultiDiscrete(np.full((num_envs, people), actions))
        self._observations = np.zeros(shape, np.float32)
        self._last = np.zeros(shape, np.float32)
        self._masks = np.zeros((num_envs, people, actions), np.int8)
        self._rewards = np.zeros((num_envs, people), np.float64)
        self._over = np.zeros(num_envs, np.bool_)
        self._next_seed = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[npt.NDArray[np.float32], dict[str, Any]]:
        """Begins all episodes, from this seed on; without one, where none of the seeds before was."""
        first = self._next_seed if seed is None else operator.index(seed)
        self.core.reset(first, self._observations, self._last, self._masks, self._rewards, self._over)
        self._next_seed = max(self.core.seeds()) + 1
        return self._out(self._observations), self._infos()

    def step(
        self, actions: npt.ArrayLike
    ) -> tuple[
        npt.NDArray[np.float32],
        npt.NDArray[np.float64],
        npt.NDArray[np.bool_],
        npt.NDArray[np.bool_],
        dict[str, Any],
    ]:
        """Plays a step in all of them; ``actions`` is ``(num_envs, agents)``."""
        indices = np.ascontiguousarray(actions, dtype=np.int64)
        if indices.shape != self._rewards.shape:
            raise ValueError(f"actions of shape {indices.shape}, {self._rewards.shape} is needed")
        self.core.step(
            indices.reshape(-1), self._observations, self._last, self._masks, self._rewards, self._over
        )
        over = self._over.copy()
        infos = self._infos()
        if over.any():
            self._next_seed = max(self._next_seed, max(self.core.seeds()) + 1)
            self._ended(over, infos)
        return (
            self._out(self._observations),
            self._rewards.mean(axis=1),
            np.zeros(self.num_envs, np.bool_),
            over,
            infos,
        )

    def _ended(self, over: npt.NDArray[np.bool_], infos: dict[str, Any]) -> None:
        if self._same_step:
            final = np.full(self.num_envs, None, dtype=object)
            for number in np.flatnonzero(over):
                final[number] = self._last[number].copy()
            infos["final_obs"], infos["_final_obs"] = final, over.copy()
        if self._measured:
            told = np.full(self.num_envs, None, dtype=object)
            for number in np.flatnonzero(over):
                text = self.core.take_metrics(int(number))
                told[number] = None if text is None else json.loads(text)
            infos["metrics"], infos["_metrics"] = told, over.copy()

    def _infos(self) -> dict[str, Any]:
        return {
            "action_mask": self._out(self._masks),
            "agent_rewards": self._out(self._rewards),
            "seed": np.array(self.core.seeds(), np.uint64),
        }

    def _out(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return array.copy() if self._copy else array
