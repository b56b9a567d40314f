"""The road network as a picture, drawn from the data."""

from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

from .data import UNCONSTRAINED, Scenario

NODES = {"parking": ("s", "#6b7280"), "junction": ("o", "#cbd5e1"), "load_ore": ("^", "#b45309"),
         "crusher": ("D", "#b91c1c"), "waste_dump": ("v", "#78716c"), "maintenance": ("P", "#2563eb")}


def draw(scenario: Scenario, folder: Path):
    """topology.svg and topology.png: one line for each pair of opposite roads."""
    matplotlib.rcParams.update({"svg.hashsalt": "mine_simpy", "svg.fonttype": "none"})
    at = {node.id: (node.x_m, node.y_m) for node in scenario.nodes}
    figure = Figure(figsize=(11, 8))
    axes = figure.add_axes((0.07, 0.07, 0.91, 0.88))
    drawn, roads = set(), {}
    for edge in scenario.edges:
        if (road := frozenset((edge.start, edge.end))) in drawn:
            continue
        drawn.add(road)
        (x0, y0), (x1, y1) = at[edge.start], at[edge.end]
        narrow, ramp = edge.capacity < UNCONSTRAINED, edge.road_type == "ramp"
        label = "closed road" if edge.closed else "ramp, one truck a direction" if ramp and narrow else \
            "one truck a direction" if narrow else "unconstrained road"
        colour = "#dc2626" if ramp else "#ea580c" if narrow else "#94a3b8"
        (roads[label],) = axes.plot([x0, x1], [y0, y1], color=colour, linewidth=4 if narrow else 2, zorder=1,
                                    linestyle=":" if edge.closed else "-")
        axes.annotate(f"{edge.id.split('_')[0]}  {edge.distance_m:.0f} m", ((x0 + x1) / 2, (y0 + y1) / 2), fontsize=7,
                      ha="center", va="center", zorder=2,
                      bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1})
    kinds = {}
    for node in scenario.nodes:
        marker, colour = NODES.get(node.kind, ("o", "#111827"))
        kinds[node.kind] = axes.scatter(node.x_m, node.y_m, marker=marker, s=170, color=colour, edgecolor="black",
                                        zorder=3)
        axes.annotate(node.id, (node.x_m, node.y_m), xytext=(0, 11), textcoords="offset points", ha="center",
                      fontsize=9, fontweight="bold", zorder=4)
    axes.legend([*roads.values(), *kinds.values()], [*roads, *(kind.replace("_", " ") for kind in kinds)],
                loc="lower right", fontsize=8)
    axes.set(title=f"Haul roads ({scenario.id})", xlabel="x [m]", ylabel="y [m]", aspect="equal")
    axes.margins(0.08)
    figure.savefig(folder / "topology.svg", metadata={"Date": None})
    figure.savefig(folder / "topology.png", dpi=110)
