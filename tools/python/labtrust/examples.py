"""Two agents to begin with, for the program and for environments alike, a method and a metric.

``labtrust eval-agent --task throughput_sla --agent labtrust.examples:Keen --seat all --out results.json``
``labtrust.run_method("labtrust.examples:OneEach", "throughput_sla", metrics=["labtrust.examples:refusals"])``
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labtrust.measures import Played
    from labtrust.methods import Seen

# Indices of the action contract 0.2, what is nearest to a released result first.
PREFERENCE = (16, 20, 19, 5, 14, 2, 13, 12, 11, 8, 7, 6, 22, 24, 25, 3)


class Keen:
    """Takes the most useful of the actions that it is offered."""

    def act(self, observation: dict[str, Any]) -> int:
        """An index, from the observation of the agent protocol."""
        return self.choose(observation["action_mask"])

    def choose(self, mask: Sequence[int]) -> int:
        """An index that a mask allows."""
        return next((index for index in PREFERENCE if index < len(mask) and mask[index]), 0)


class RandomLegal:
    """Takes any of the actions that it is offered, each with the same chance; the same ones for the same seed."""

    def __init__(self) -> None:
        self.random = random.Random(0)

    def reset(self, seed: int, seat: str) -> None:
        """Begins an episode."""
        self.random = random.Random(f"{seed} {seat}")

    def act(self, observation: dict[str, Any]) -> int:
        """An index, from the observation of the agent protocol."""
        return self.choose(observation["action_mask"])

    def choose(self, mask: Sequence[int]) -> int:
        """An index that a mask allows."""
        return self.random.choice([index for index, allowed in enumerate(mask) if allowed])


class OneEach:
    """Directs everybody at once: what one agent is asked for, nobody else is asked for in the same step."""

    def decide(self, seen: Seen) -> dict[str, int]:
        """Indices by agent."""
        left = list(PREFERENCE)
        actions: dict[str, int] = {}
        for name in seen.agents:
            mask = seen.masks[name]
            index = next((index for index in left if index < len(mask) and mask[index]), 0)
            if index:
                left.remove(index)
            actions[name] = index
        return actions


def refusals(played: Played) -> dict[str, int]:
    """How many actions were refused in an episode, and by how many agents."""
    refused = [record for record in played.records if record["status"] == "BLOCKED"]
    return {"refused_actions": len(refused), "refused_agents": len({record["agent_id"] for record in refused})}
