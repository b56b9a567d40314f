"""What other packages bring by entry points: real ones, installed by pip into a folder of the path."""

from __future__ import annotations

import importlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import labtrust
from labtrust import agent_host, measures, packages

SOURCES = Path(__file__).parent / "packages"


def install(folder: Path, *names: str) -> str:
    """Installs packages of this folder, without a registry."""
    sources = []
    for name in names:
        # pip builds in the source's folder; the checkout stays as it is.
        source = folder / "sources" / name
        shutil.copytree(SOURCES / name, source)
        sources.append(source)
    arguments = ["--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check"]
    target = folder / "installed"
    subprocess.run([sys.executable, "-m", "pip", "install", *arguments, "--target", target, *sources], check=True)
    return str(target)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("packages")
    return {"careful": install(folder / "one", "careful"), "both": install(folder / "two", "careful", "careless")}


@pytest.fixture
def careful(installed: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    yield from on_the_path(installed["careful"], monkeypatch)


@pytest.fixture
def both(installed: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    yield from on_the_path(installed["both"], monkeypatch)


def on_the_path(folder: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.syspath_prepend(folder)
    # For agents in processes of their own.
    monkeypatch.setenv("PYTHONPATH", folder)
    importlib.invalidate_caches()
    yield folder
    for name in ("labtrust_careful", "labtrust_careless"):
        sys.modules.pop(name, None)


def test_an_agent_plays_under_the_name_that_its_package_offers(careful: str, tmp_path: Path) -> None:
    by_spec = {}
    for agent in ("careful", "labtrust_careful:Careful"):
        labtrust.program.command(
            "eval-agent", "--task", "throughput_sla", "--agent", agent, "--seat", "all", "--episodes", "2",
            "--seed", "5", "--out", tmp_path / "results.json", "--quiet",
        )  # fmt: skip
        by_spec[agent] = json.loads((tmp_path / "results.json").read_text())
    assert by_spec["careful"]["agent_baseline_id"] == "careful"
    assert by_spec["careful"]["episodes"] == by_spec["labtrust_careful:Careful"]["episodes"]
    assert by_spec["careful"]["episodes"][0]["metrics"]["throughput"] > 0
    # The program's own agents keep their names.
    with pytest.raises(labtrust.CommandFailed) as failed:
        labtrust.program.command("eval-agent", "--task", "throughput_sla", "--agent", "nobody", "--quiet")
    assert failed.value.code == 1
    assert "random_legal" in str(failed.value) and "Known: [actless, careful]" in str(failed.value)


def test_a_method_directs_everybody_under_its_name(careful: str) -> None:
    import labtrust_careful

    mind = labtrust_careful.InTurn()
    by_name = labtrust.run_method("in_turn", "stat_insertion", episodes=2, seed=5)
    by_hand = labtrust.run_method(mind, "stat_insertion", episodes=2, seed=5)
    assert by_name.episodes == by_hand.episodes and by_name.document["method"] == "in_turn"
    assert mind.begun_with == (6, "stat_insertion", by_hand.document["timing_mode"])
    assert [row["seed"] for row in by_name.rows()] == [5, 6]
    counts = by_name.episodes[0]["metrics"]["actions_by_agent"]
    assert sum(counts.values()) <= by_name.episodes[0]["metrics"]["steps"]


def test_metrics_add_their_figures_to_the_rows(careful: str, tmp_path: Path) -> None:
    plain = labtrust.run_benchmark("multi_site_stat", episodes=3, seed=5)
    more = labtrust.run_benchmark("multi_site_stat", episodes=3, seed=5, metrics=["orders", "moves"], log=tmp_path / "log.jsonl")
    assert more.document == plain.document
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    for number, (row, less) in enumerate(zip(more.rows(), plain.rows())):
        mine = [line for line in lines if line["episode"] == number]
        added = {name: row[name] for name in row.keys() - less.keys()}
        walks = sum(line["action_type"] == "MOVE" for line in mine)
        assert added == {"lines": len(mine), "busiest": added["busiest"], "moves": walks} and less.items() <= row.items()
        assert added["busiest"] in {line["agent_id"] for line in mine}
    assert labtrust.run_benchmark("multi_site_stat", episodes=3, seed=5, metrics=["orders", "moves"]).figures == more.figures


def test_an_episode_without_a_line_on_record_has_its_own_figures(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text('{"episode":1}\n{"episode":1}\n{"episode":3}\n')
    episodes = [{"seed": seed, "metrics": {}} for seed in range(5)]
    rows = measures.of_log([lambda played: {"lines": len(played.records)}], "any", episodes, tmp_path / "log.jsonl")
    assert [row["lines"] for row in rows] == [0, 2, 0, 1, 0]


def test_a_name_that_nobody_offers_is_refused_with_those_that_are_offered(careful: str) -> None:
    assert list(packages.offered("agents")) == ["actless", "careful"]
    assert packages.offered("methods") == {"in_turn": ["labtrust_careful:InTurn of labtrust-careful"]}
    with pytest.raises(agent_host.HostError, match=r"'nobody'.*Known: \[actless, careful\]"):
        agent_host.load("nobody")
    with pytest.raises(agent_host.HostError, match="no act"):
        agent_host.load("actless")
    with pytest.raises(packages.NotFound, match=r"labtrust\.methods.*Known: \[in_turn\]"):
        labtrust.run_method("careful", "throughput_sla")
    with pytest.raises(packages.NotFound, match=r"labtrust\.metrics.*Known: \[moves, orders\]"):
        labtrust.run_benchmark("throughput_sla", metrics=["careful"])


def test_a_name_that_two_packages_offer_is_nobody_s(both: str) -> None:
    with pytest.raises(agent_host.HostError, match="ambiguous.*labtrust-careful, .*labtrust-careless.*module:Name"):
        agent_host.load("careful")
    assert type(agent_host.load("labtrust_careful:Careful")).__module__ == "labtrust_careful"
    for name in ("lost", "nameless"):
        with pytest.raises(agent_host.HostError, match=f"cannot load {name}, which is labtrust_careless.*of labtrust-careless"):
            agent_host.load(name)


def test_without_packages_nothing_is_offered() -> None:
    with pytest.raises(packages.NotFound, match=r"Known: \[none\]"):
        packages.load("methods", "in_turn")


class Each:
    """Every agent for itself, by one method."""

    def decide(self, seen: labtrust.Seen) -> dict[str, Any]:
        from labtrust.examples import Keen

        return {name: (Keen().choose(seen.masks[name]), {}) for name in seen.agents}


def test_a_method_s_run_is_the_program_s_with_the_same_decisions(tmp_path: Path) -> None:
    task = "adversarial_disruption"
    mine = labtrust.run_method(Each, task, episodes=2, seed=5, log=tmp_path / "python.jsonl")
    labtrust.program.command(
        "eval-agent", "--task", task, "--agent", "labtrust.examples:Keen", "--seat", "all", "--episodes", "2",
        "--seed", "5", "--out", tmp_path / "results.json", "--log", tmp_path / "program.jsonl", "--quiet",
    )  # fmt: skip
    assert (tmp_path / "python.jsonl").read_bytes() == (tmp_path / "program.jsonl").read_bytes()
    assert mine.episodes == json.loads((tmp_path / "results.json").read_text())["episodes"]


def test_one_mind_for_all_is_refused_less() -> None:
    apart, together = (
        labtrust.run_method(method, "throughput_sla", episodes=3, seed=5, metrics=["labtrust.examples:refusals"])
        for method in (Each, "labtrust.examples:OneEach")
    )
    for alone, row in zip(apart.rows(), together.rows()):
        assert row["throughput"] == alone["throughput"] and row["refused_actions"] < alone["refused_actions"]


class Wrong:
    def decide(self, seen: labtrust.Seen) -> Any:
        return [0]


class Stranger:
    def decide(self, seen: labtrust.Seen) -> Any:
        return {"nobody": 0}


def test_what_cannot_be_is_refused_in_one_sentence() -> None:
    for method, told in ((Wrong, "map of actions"), (Stranger, "nobody"), (3, "no decide"), (agent_host, "no decide")):
        with pytest.raises((TypeError, ValueError), match=told):
            labtrust.run_method(method, "throughput_sla")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="0 episodes"):
        labtrust.run_method(Each, "throughput_sla", episodes=0)
    with pytest.raises(TypeError, match="no options.*Known: .*scale"):
        labtrust.run_method(Each, "throughput_sla", speed=3)  # type: ignore[call-arg]

    def known_already(played: labtrust.Played) -> dict[str, int]:
        return {"throughput": 1}

    def many(played: labtrust.Played) -> Any:
        return {"all": [1, 2]}

    for metrics, told in (
        ([known_already], "'throughput' already; known_already"),
        ([many], "'all' as list"),
        ("labtrust.examples:refusals", "a list"),
        ([3], "no function"),
    ):
        with pytest.raises((TypeError, ValueError), match=told):
            labtrust.run_benchmark("throughput_sla", metrics=metrics)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="--log-format"):
        labtrust.run_benchmark("throughput_sla", metrics=[known_already], more=["--log-format", "framed"])
