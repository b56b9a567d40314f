"""An agent, a method and a metric."""

from labtrust.examples import Keen


class Careful(Keen):
    """Acts in every second step."""

    def reset(self, seed):
        self.steps = 0

    def act(self, observation):
        self.steps += 1
        return super().act(observation) if self.steps % 2 else 0


class InTurn:
    """Only one agent acts in a step, in turn."""

    def reset(self, seed, agents, task, timing_mode, horizon_s, dt_s):
        assert horizon_s % dt_s == 0
        self.begun_with = (seed, task, timing_mode)

    def decide(self, seen):
        name = seen.agents[seen.step % len(seen.agents)]
        assert seen.words(name)["action_mask"] == seen.masks[name].tolist()
        return {name: Keen().choose(seen.masks[name])}


def orders(played):
    """Who acted how often, in words, and the number of lines on record."""
    names = [record["agent_id"] for record in played.records]
    return {"lines": len(names), "busiest": max(sorted(set(names)), key=names.count, default=None)}


class Moves:
    """Walks of an episode."""

    def __call__(self, played):
        return {"moves": sum(record["action_type"] == "MOVE" for record in played.records)}
