"""``python -m labtrust.ppo``: what a training run reads and leaves, and its command line.

A run leaves in its folder ``train_config.json`` (first, so that a run that breaks off says what it was), ``policy.bin``,
``eval_metrics.json``, ``train.json`` with the SHA-256 of the policy and the course of training, and with checkpoints
``checkpoint_<steps>.bin`` and ``best_model.bin``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import labtrust
from labtrust.learned import Policy
from labtrust.ppo import Settings, figures, play, train
from labtrust.ppo_search import Search, search

# Episodes by which checkpoints are compared, and by which the finished policy is measured.
CHECKPOINT_EPISODES = 3
FINAL_EPISODES = 5
# Seeds of evaluation are the training seed and this; training counts up from its seed, so they are moved far away.
HELD_OUT = 1_000_000
# Keys of a configuration file and what they set; the first four have the names of the published one.
CONFIG = {
    "net_arch": "hidden",
    "learning_rate": "learning_rate",
    "n_steps": "n_steps",
    "obs_history_len": "history",
    **{name: name for name in ("timing", "timesteps", "num_envs", "epochs", "minibatches", "gamma", "gae_lambda")},
    **{name: name for name in ("clip", "entropy", "shaping", "threads")},
}
# Published keys that make no sense here.
ONE_POLICY = ("reward_scale_schedule", "include_agent_id", "num_agents", "controlled_agents")


class Refused(ValueError):
    """Something that was asked for cannot be done; told without a traceback."""


def write(path: Path, document: object) -> None:
    """Writes JSON."""
    path.write_text(json.dumps(document, indent=2) + "\n")


@dataclass
class Checkpoints:
    """Writes a policy every so many steps and, where the best are kept, removes the others."""

    settings: Settings
    out: Path
    every: int
    keep_best: int
    next: int = 0
    best: list[tuple[float, int]] = field(default_factory=list)

    def watch(self, steps: int, policy: Policy) -> None:
        """After an update."""
        if steps < self.next + self.every:
            return
        self.next = steps - steps % self.every
        path = self.path(steps)
        policy.save(path)
        if not self.keep_best:
            return
        first = HELD_OUT + self.settings.seed
        played = play(
            self.settings.task,
            self.settings.timing,
            range(first, first + CHECKPOINT_EPISODES),
            policy,
            **self.settings.extra,
        )
        # The earlier of equals: it has been trained for less.
        self.best = sorted([*self.best, (played.figures()["reward"], steps)], key=lambda one: (-one[0], one[1]))
        for _, old in self.best[self.keep_best :]:
            self.path(old).unlink()
        del self.best[self.keep_best :]

    def path(self, steps: int) -> Path:
        """The file of a checkpoint."""
        return self.out / f"checkpoint_{steps}.bin"


def run(settings: Settings, out: Path, checkpoint_every: int = 0, keep_best: int = 0, talk: bool = True) -> dict[str, Any]:
    """Trains and leaves all files in ``out``; the answer is what ``eval_metrics.json`` has, and the policy's SHA-256."""
    out.mkdir(parents=True, exist_ok=True)
    config = {**asdict(settings), "checkpoint_every": checkpoint_every, "keep_best": keep_best}
    write(out / "train_config.json", {**config, "algorithm": "ppo", "version": "0.1"})
    checkpoints = Checkpoints(settings, out, checkpoint_every, keep_best) if checkpoint_every else None
    policy, history = train(settings, talk, checkpoints.watch if checkpoints else None)
    if checkpoints and checkpoints.best:
        policy = Policy.load(checkpoints.path(checkpoints.best[0][1]))
        policy.save(out / "best_model.bin")
    digest = policy.save(out / "policy.bin")
    first = HELD_OUT + settings.seed
    played = play(settings.task, settings.timing, range(first, first + FINAL_EPISODES), policy, **settings.extra)
    metrics = {
        "mean_reward": played.figures()["reward"],
        "episode_rewards": played.rewards,
        "n_episodes": FINAL_EPISODES,
        "seed": first,
    }
    write(out / "eval_metrics.json", metrics)
    write(out / "train.json", {"settings": config, "sha256": digest, "history": history})
    return {**metrics, "sha256": digest}


def layers(text: str) -> tuple[int, ...]:
    """Sizes of hidden layers, ``64,64``."""
    try:
        sizes = tuple(int(part) for part in text.strip("[]").split(","))
    except ValueError:
        sizes = ()
    if not 1 <= len(sizes) <= 8 or not all(1 <= size <= 4096 for size in sizes):
        raise argparse.ArgumentTypeError(f"{text!r} is no list of sizes of hidden layers, such as 64,64")
    return sizes


def read_config(path: Path) -> dict[str, Any]:
    """Settings of a configuration file; what there is not is refused by name."""
    try:
        document = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise Refused(f"{path}: {error}") from error
    if not isinstance(document, dict):
        raise Refused(f"{path} is no map of settings")
    found: dict[str, Any] = {}
    for name, value in document.items():
        if name in ONE_POLICY:
            raise Refused(f"{path}: {name} is not there: one policy plays all seats, and rewards are the task's")
        if name not in CONFIG:
            raise Refused(f"{path}: there is no setting {name}. Known: [{', '.join(CONFIG)}]")
        kind = {"net_arch": list, "timing": str, "n_steps": int, "obs_history_len": int, "timesteps": int}
        wanted = kind.get(name, type(getattr(Settings, CONFIG[name])))
        if not isinstance(value, (int, float) if wanted is float else wanted) or isinstance(value, bool):
            raise Refused(f"{path}: {name} should be {wanted.__name__}, not {value!r}")
        try:
            found[CONFIG[name]] = layers(json.dumps(value)) if name == "net_arch" else value
        except argparse.ArgumentTypeError as error:
            raise Refused(f"{path}: {error}") from error
    return found


def settings_of(options: argparse.Namespace) -> Settings:
    """What the configuration file says, and over it what the command line does."""
    found = read_config(options.train_config) if options.train_config else {}
    names = ("timing", "seed", "num_envs", "n_steps", "timesteps", "updates", "hidden", "history", "learning_rate", "threads")
    given = {name: getattr(options, name) for name in names}
    found.update({name: value for name, value in given.items() if value is not None})
    settings = replace(Settings(task=options.task), **found)
    for name in ("num_envs", "n_steps", "timesteps", "updates", "epochs", "minibatches", "threads"):
        value = getattr(settings, name)
        if value is not None and value < 1:
            raise Refused(f"{name} is {value}; 1 is the least")
    if not 1 <= settings.history <= 64:
        raise Refused(f"obs_history_len is {settings.history}, not from 1 to 64")
    if not 0 < settings.learning_rate <= 1:
        raise Refused(f"learning_rate is {settings.learning_rate}, not above 0 and at most 1")
    return settings


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="labtrust.ppo", description="Masked PPO, one policy for all agents.")
    commands = parser.add_subparsers(dest="command", required=True)
    trains = commands.add_parser("train", help="train a policy and write its weights")
    plays = commands.add_parser("eval", help="play held-out seeds")
    searches = commands.add_parser("search", help="look for settings by successive halving, and train with the best")
    for command in (trains, plays, searches):
        command.add_argument("--task", default=Settings.task)
        command.add_argument("--timing", choices=["explicit", "simulated"])
    for command in (trains, searches):
        command.add_argument("--seed", type=int)
        command.add_argument("--num-envs", type=int)
        command.add_argument("--threads", type=int)
        command.add_argument("--train-config", type=Path, metavar="FILE", help="settings as JSON; options outrank it")
        command.add_argument("--out", type=Path, required=True, help="folder for what is written")
    for name, kind, told in (
        ("--timesteps", int, "steps of all environments together"),
        ("--n-steps", int, "steps of an environment between two updates; an episode's where not given"),
        ("--learning-rate", float, "of the first update; it falls to none"),
    ):
        trains.add_argument(name, type=kind, help=told)
    trains.add_argument("--updates", type=int, help="in place of --timesteps")
    trains.add_argument("--net-arch", dest="hidden", type=layers, help="hidden layers, 64,64")
    trains.add_argument("--obs-history-len", dest="history", type=int, help="observations seen at once")
    trains.add_argument("--checkpoint-every", type=int, default=0, metavar="STEPS")
    trains.add_argument("--keep-best", type=int, default=0, metavar="N", help="of the checkpoints, and train for the best")
    plays.add_argument("--model", type=Path, required=True, help="policy.bin of a training run")
    plays.add_argument("--seed", type=int, default=HELD_OUT, help="the first of the seeds that are played")
    plays.add_argument("--episodes", type=int, default=50)
    searches.add_argument("--trials", type=int, default=8, help="settings to begin with")
    searches.add_argument("--timesteps", type=int, default=10_000, help="of each trial in the first round")
    return parser


def compare(options: argparse.Namespace) -> dict[str, Any]:
    """Held-out episodes by the policy, by chance and by the task's own crew."""
    policy = Policy.load(options.model)
    seeds = range(options.seed, options.seed + options.episodes)
    crew = labtrust.run_benchmark(options.task, episodes=options.episodes, seed=options.seed, timing=options.timing)
    return {
        "policy": play(options.task, options.timing, seeds, policy).figures(),
        "random_legal": play(options.task, options.timing, seeds, None).figures(),
        "scripted": figures([episode["metrics"] for episode in crew.episodes]),
        "sha256": hashlib.sha256(options.model.read_bytes()).hexdigest(),
    }


def main(arguments: list[str] | None = None) -> int:
    """``train``, ``eval`` and ``search``."""
    commands = parser()
    options = commands.parse_args(arguments)
    try:
        if options.command == "eval":
            print(json.dumps(compare(options), indent=2))
            return 0
        if options.command == "search":
            options.__dict__.update(dict.fromkeys(("n_steps", "updates", "hidden", "history", "learning_rate")))
            asked = Search(options.trials, options.timesteps)
            found = search(settings_of(options), asked)
            options.out.mkdir(parents=True, exist_ok=True)
            write(options.out / "search.json", found.told())
            answer = run(replace(found.best, timesteps=2 * found.best.timesteps), options.out)
        else:
            if min(options.checkpoint_every, options.keep_best) < 0:
                raise Refused("--checkpoint-every and --keep-best count from 0")
            if options.keep_best and not options.checkpoint_every:
                raise Refused("--keep-best keeps checkpoints; say with --checkpoint-every when there is one")
            answer = run(settings_of(options), options.out, options.checkpoint_every, options.keep_best)
    except (Refused, ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"Mean reward: {answer['mean_reward']:.2f}")
    return 0
