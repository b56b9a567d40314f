"""Lets an agent of Python play a seat of the program.

``labtrust eval-agent --task throughput_sla --agent module:Class`` starts ``python -m labtrust.agent_host module:Class``, which
speaks the agent protocol on its standard input and output. What the agent prints goes to the standard error. A name without
a colon is one of the entry points ``labtrust.agents`` (:mod:`labtrust.packages`).

An agent has ``act(observation)``, which returns an index, or a pair of an index and a map. It may have
``reset(seed, policy_summary, partner_id, timing_mode)``, which takes those of these that it names, and
``action_space = "0.1"``. A class or a function is called without arguments; anything else is the agent itself.
"""

from __future__ import annotations

import json
import sys
from typing import Any, TextIO

from labtrust import packages

CONTRACT_VERSION = "0.1"


class HostError(Exception):
    """Why there is no agent to play."""


def load(spec: str) -> Any:
    """The agent that ``module:Name`` names, or that a package offers under a name without a colon."""
    try:
        agent = packages.made(packages.load("agents", spec), "act")
    except packages.NotFound as error:
        raise HostError(str(error)) from error
    if not callable(getattr(agent, "act", None)):
        raise HostError(f"{spec} has no act(observation)")
    version = getattr(agent, "contract_version", CONTRACT_VERSION)
    if version != CONTRACT_VERSION:
        raise HostError(f"{spec} wants agent contract {version}, there is {CONTRACT_VERSION}")
    return agent


def _act(agent: Any, observation: dict[str, Any]) -> dict[str, Any]:
    wanted = agent.act(observation)
    if isinstance(wanted, tuple):
        index, info = wanted
        return {"action": int(index), "info": info}
    return {"action": int(wanted)}


def serve(agent: Any, lines: TextIO, out: TextIO) -> None:
    """Answers every message until the program says goodbye."""
    for line in lines:
        message = json.loads(line)
        answer: dict[str, Any] = {"id": message["id"]}
        match message["type"]:
            case "hello":
                answer["agent_contract_version"] = CONTRACT_VERSION
                answer["action_space"] = getattr(agent, "action_space", "0.2")
            case "reset":
                known = {key: value for key, value in message.items() if key not in ("type", "id")}
                packages.tell(agent, {**known, "policy_summary": {}})
            case "act":
                answer |= _act(agent, message["observation"])
            case "bye":
                return
        print(json.dumps(answer), file=out, flush=True)


def main() -> int:
    """Serves the agent that the only argument names."""
    if len(sys.argv) != 2:
        print("usage: python -m labtrust.agent_host MODULE:NAME | NAME", file=sys.stderr)
        return 2
    # Nothing that an agent prints may stand between two answers.
    out, sys.stdout = sys.stdout, sys.stderr
    try:
        agent = load(sys.argv[1])
    except HostError as error:
        print(f"labtrust.agent_host: {error}", file=sys.stderr)
        return 1
    serve(agent, sys.stdin, out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
