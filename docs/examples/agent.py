#!/usr/bin/env python3
"""An analyst that takes the most useful of the actions it is offered. Run it with

    labtrust eval-agent --task throughput_sla --agent "exec:python3 docs/examples/agent.py"
"""
import json
import sys

# Indices of the action contract 0.2, what is nearest to a released result first.
PREFERENCE = [16, 20, 19, 5, 14, 2, 13, 12, 11, 8, 7, 6, 22, 24, 25, 3]


def act(observation):
    offered = observation["action_mask"]
    return next((index for index in PREFERENCE if offered[index]), 0)


for line in sys.stdin:
    message = json.loads(line)
    answer = {"id": message["id"]}
    if message["type"] == "hello":
        answer.update(agent_contract_version="0.1", action_space="0.2")
    elif message["type"] == "act":
        answer["action"] = act(message["observation"])
    elif message["type"] == "bye":
        break
    print(json.dumps(answer), flush=True)
