"""A search for settings of training: successive halving over settings drawn at random.

All begin with few steps; the better third goes on with three times as many, from the beginning, until one is left. What is
drawn follows from the seed, so the same search finds the same.

Source: Jamieson and Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization", AISTATS (2016).
"""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from labtrust.ppo import Settings, play, train

# One in so many goes on, and has so many times the steps.
ETA = 3
EPISODES = 10
# Far from the seeds of training, and others than those that the result is measured by.
HELD_OUT = 2_000_000
NETS = ((32, 32), (64, 64), (128, 128))
ENTROPIES = (0.0, 0.003, 0.01, 0.03)


@dataclass(frozen=True)
class Search:
    """How much is tried."""

    trials: int
    timesteps: int


@dataclass(frozen=True)
class Found:
    """What came of it: every trial of every round with its mean reward, best first."""

    best: Settings
    value: float
    rounds: list[list[tuple[Settings, float]]]

    def told(self) -> dict[str, Any]:
        """As a document."""
        rounds = [[{"settings": asdict(one), "mean_reward": value} for one, value in rows] for rows in self.rounds]
        trials = len(self.rounds[0])
        return {"best_params": asdict(self.best), "best_value": self.value, "n_trials": trials, "rounds": rounds}


def drawn(base: Settings, trials: int) -> list[Settings]:
    """Settings to try; the first are those to begin with."""
    draw = np.random.default_rng([base.seed, 1])
    found = [base]
    while len(found) < trials:
        found.append(
            replace(
                base,
                learning_rate=float(np.exp(draw.uniform(np.log(1e-4), np.log(5e-3)))),
                hidden=NETS[int(draw.integers(len(NETS)))],
                entropy=ENTROPIES[int(draw.integers(len(ENTROPIES)))],
                epochs=int(draw.integers(2, 9)),
            )
        )
    return found


def search(base: Settings, asked: Search, talk: bool = True) -> Found:
    """Looks for settings like ``base``."""
    if asked.trials < 1 or asked.timesteps < 1:
        raise ValueError("a search has 1 trial and 1 step at least")
    left = [replace(one, timesteps=asked.timesteps, updates=None) for one in drawn(base, asked.trials)]
    first = HELD_OUT + base.seed
    rounds: list[list[tuple[Settings, float]]] = []
    while True:
        values = []
        for number, settings in enumerate(left):
            policy, _ = train(settings, talk=False)
            played = play(base.task, base.timing, range(first, first + EPISODES), policy, **base.extra)
            values.append(played.figures()["reward"])
            if talk:
                told = f"round {len(rounds) + 1}, {number + 1} of {len(left)}: reward {values[-1]:.2f}"
                print(told, file=sys.stderr)
        # The earlier of equals.
        order = sorted(range(len(left)), key=lambda place: (-values[place], place))
        rounds.append([(left[place], values[place]) for place in order])
        if len(left) == 1:
            return Found(left[0], values[0], rounds)
        kept = [left[place] for place in order[: max(1, len(left) // ETA)]]
        left = [replace(one, timesteps=one.timesteps * ETA) for one in kept]
