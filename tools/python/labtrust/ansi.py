"""The moment of an episode as text, in the form of the published environment."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from labtrust._core import Environment, World

_SHOWN_DEVICES = 6


def text_of(world: World, core: Environment, names: Sequence[str]) -> str:
    """Agents by name with zone and role, the restricted door, the first queues, specimens by published status."""
    seen: dict[str, dict[str, Any]] = {}
    for number, name in enumerate(names):
        described = core.describe(number)
        if described is not None:
            seen[name] = json.loads(described)
    first: dict[str, Any] = next(iter(seen.values()), {})
    order = sorted(names)
    queues = first.get("queue_by_device", [])
    shown = " ".join(f"{queue['device_id']}:{queue['queue_len']}" for queue in queues[:_SHOWN_DEVICES])
    lines = [
        f"LabTrustParallelEnv step={core.steps} t_s={first.get('t_s')} task={world.task} timing_mode={world.timing}",
        f"agents: {order}",
        *(f"  {name}: zone={seen[name]['zone_id']} role={seen[name]['role_id']}" for name in order if name in seen),
        f"door_restricted_open={first.get('door_restricted_open')} "
        f"restricted_zone_frozen={first.get('restricted_zone_frozen')}",
        f"queues: {shown}{' ...' if len(queues) > _SHOWN_DEVICES else ''}",
        f"specimen_counts: {first.get('specimen_status_counts')}",
    ]
    # Ids come from policy files: nothing of them may steer a terminal.
    return "".join("".join(letter if letter.isprintable() else "?" for letter in line) + "\n" for line in lines)
