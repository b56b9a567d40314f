"""PettingZoo's turn-based interface: the parallel one, asked agent by agent.

Agents act in their order on one snapshot; the laboratory moves when the last of them has acted. An action may be a pair
of an index and a map of what stands beside it, as in the parallel interface.
"""

from __future__ import annotations

from typing import Any

from pettingzoo import AECEnv
from pettingzoo.utils.conversions import parallel_to_aec

from labtrust.parallel import parallel_env


def env(task: str = "throughput_sla", **options: Any) -> AECEnv[str, Any, Any]:
    """A task of the laboratory as a turn-based environment; the options are those of :func:`labtrust.parallel_env`."""
    turns: AECEnv[str, Any, Any] = parallel_to_aec(parallel_env(task, **options))
    return turns
