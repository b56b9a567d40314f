"""The executor that hands cells to Ray: a task a cell.

A node that is lost is Ray's business: its tasks are run again on others (`max_retries=-1`). A cell that fails is a result and
no exception, so that it is not run again. A driver hangs on one raylet: start it beside the head.
"""

from __future__ import annotations

import os
from typing import Any

from .cells import Cell, Made, make_cell

#: Said to Ray before it is imported.
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS": "0"}


class NoToken(RuntimeError):
    """A cluster without a token runs whatever anybody sends who reaches it."""


class OnRay:
    """Cells on a Ray cluster."""

    def __init__(
        self,
        address: str | None = None,
        *,
        program: str = "labtrust",
        arguments: tuple[str, ...] = (),
        places: int | None = None,
        require_token: bool = True,
    ) -> None:
        """Connects to a cluster, or starts one on this machine that only this machine can reach.

        `address` is that of a cluster (`host:port`); without one, `places` processors of this machine are used.
        """
        if address and require_token and os.environ.get("RAY_AUTH_MODE") != "token":
            raise NoToken("set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN here and on every node, or say --no-token")
        os.environ.update(QUIET)
        import ray

        self._ray = ray
        if address:
            ray.init(address=address, log_to_driver=False)
        else:
            ray.init(num_cpus=places, include_dashboard=False, log_to_driver=False, _node_ip_address="127.0.0.1")
        remote = ray.remote(num_cpus=1, max_retries=-1, scheduling_strategy="SPREAD")
        self._task = remote(make_cell)
        self._program, self._arguments = program, list(arguments)
        self._plan: Any = None

    def places(self) -> int:
        """Processors of all nodes that are there now."""
        return int(self._ray.cluster_resources().get("CPU", 1))

    def submit(self, plan: bytes, cell: Cell) -> Any:
        """Begins a cell."""
        if self._plan is None:
            # Sent to every node once.
            self._plan = self._ray.put(plan)
        return self._task.remote(self._program, self._arguments, self._plan, cell)

    def wait(self, handles: list[Any]) -> list[tuple[Any, Made]]:
        """Waits for at least one."""
        done, _ = self._ray.wait(handles, num_returns=1, timeout=None)
        results = []
        for handle in done:
            try:
                results.append((handle, self._ray.get(handle)))
            except self._ray.exceptions.RayError as error:
                # The task itself did not come to its end, as often as it was tried: the cell may do later.
                results.append((handle, Made(-1, -1, str(error)[-2000:])))
        return results

    def close(self) -> None:
        """Leaves the cluster; one that was started here ends."""
        self._ray.shutdown()
