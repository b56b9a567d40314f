"""Gymnasium's interface: one agent among the task's own crew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium.utils import EzPickle

from labtrust.core import RENDER_FPS, RENDER_MODES, Action, Episodes
from labtrust.terms import EpisodeTerms

if TYPE_CHECKING:
    from typing_extensions import Unpack


class LabGymEnv(gymnasium.Env[Any, Any], EzPickle):
    """One agent of a task; everybody else is the task's own crew, or that of ``crew``.

    The options are those of :func:`labtrust.parallel_env`, with ``agent`` in place of ``agents``. The reward is the
    agent's. The mask of an observation is ``info["action_mask"]``, and what ``action_masks`` gives. A copy, by pickle too, is
    a new environment made with the same arguments.
    """

    metadata: dict[str, Any] = {"render_modes": list(RENDER_MODES), "render_fps": RENDER_FPS}

    def __init__(
        self, task: str = "throughput_sla", agent: str = "ops_0", **terms: Unpack[EpisodeTerms]
    ) -> None:
        EzPickle.__init__(self, task, agent, **terms)
        self.episodes = Episodes(task, [agent], **terms)
        self.agent = agent
        self.render_mode = self.episodes.render_mode
        self.observation_space = self.episodes.observation_spaces[agent]
        self.action_space = self.episodes.action_spaces[agent]

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begins the episode of a seed; without one, of the seed after the last. No options are known; all are ignored."""
        super().reset(seed=seed)
        observations, infos = self.episodes.begin(seed)
        return observations[0], infos[0]

    def step(self, action: Action) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Plays a step; the action is an index, or a pair of an index and a map of what stands beside it."""
        observations, rewards, over, infos = self.episodes.play([action])
        return observations[0], rewards[0], False, over, infos[0]

    def action_masks(self) -> npt.NDArray[np.bool_]:
        """What may be chosen now, for learners that ask for it by this name."""
        _, masks = self.episodes.core.look()
        allowed: npt.NDArray[np.bool_] = masks[0].astype(np.bool_)
        return allowed

    def log(self) -> bytes:
        """The log of the episode so far, with ``log=True``."""
        return self.episodes.log()

    def render(self) -> Any:
        """``ansi``: text. ``rgb_array``: the laboratory as ``uint8 (height, width, 3)``. ``human``: prints the text."""
        return self.episodes.render()
