"""Commands of the program from Python."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import labtrust
from labtrust import agent_host
from labtrust.program import command


def test_a_benchmark_has_the_results_that_the_program_writes(tmp_path: Path) -> None:
    kept = labtrust.run_benchmark("throughput_sla", episodes=3, seed=9, out=tmp_path / "a.json")
    loose = labtrust.run_benchmark("throughput_sla", episodes=3, seed=9)
    assert kept.document == loose.document and kept.path == tmp_path / "a.json"
    arguments = ["run-benchmark", "--task", "throughput_sla", "--episodes", "3", "--seed", "9", "--quiet", "--out"]
    program = [sys.executable, "-m", "labtrust", *arguments, str(tmp_path / "b.json")]
    subprocess.run(program, check=True)
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    rows = kept.rows()
    assert [row["seed"] for row in rows] == [9, 10, 11] and all(row["throughput"] > 0 for row in rows)


def test_a_benchmark_says_nothing_where_all_is_well(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    labtrust.run_benchmark("throughput_sla", out=tmp_path / "a.json")
    assert capfd.readouterr() == ("", "")
    command("run-benchmark", "--task", "throughput_sla", "--episodes", "1", "--out", tmp_path / "b.json")
    assert "Wrote" in capfd.readouterr().err


def test_results_become_tables() -> None:
    pandas = pytest.importorskip("pandas")
    frame = labtrust.run_benchmark("throughput_sla", episodes=2).to_pandas()
    assert isinstance(frame, pandas.DataFrame) and len(frame) == 2 and "throughput" in frame


def test_a_command_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(labtrust.CommandFailed, match="throughput_sla") as failed:
        labtrust.run_benchmark("no_such_task")
    assert failed.value.code == 1
    with pytest.raises(labtrust.CommandFailed, match="--no-such-option") as failed:
        labtrust.run_benchmark("throughput_sla", more=["--no-such-option"])
    assert failed.value.code == 2
    assert not list(tmp_path.iterdir())


def test_a_study_has_tables(tmp_path: Path) -> None:
    spec = tmp_path / "study.yaml"
    spec.write_text(
        "study_id: from_python\nseed_base: 11\nepisodes_per_cell: 1\n"
        "scales: [{ name: scale_preset, values: [small_smoke] }]\n"
        "methods: [kernel_auction_edf, ripple_effect]\ninjections: [none]\n"
    )
    study = labtrust.run_study(spec, tmp_path / "study")
    assert {row["method_id"] for row in study.table()} == {"kernel_auction_edf", "ripple_effect"}


class Counting:
    """An agent that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def reset(self, seed: int, policy_summary: dict[str, Any], timing_mode: str) -> None:
        self.told.append((seed, policy_summary, timing_mode))

    def act(self, observation: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        return 2, {"work_id": observation["work"]}


class OldContract:
    contract_version = "0.0"

    def act(self, observation: dict[str, Any]) -> int:
        return 0


def test_the_host_speaks_the_protocol() -> None:
    agent = agent_host.load("test_runs:Counting")
    messages = [
        {"type": "hello", "id": 1},
        {"type": "reset", "id": 2, "seed": 5, "timing_mode": "explicit", "partner_id": None, "task": "x"},
        {"type": "act", "id": 3, "observation": {"work": "S1"}},
        {"type": "bye", "id": 4},
        {"type": "act", "id": 5, "observation": {"work": "S2"}},
    ]
    out = io.StringIO()
    agent_host.serve(agent, io.StringIO("".join(json.dumps(message) + "\n" for message in messages)), out)
    answers = [json.loads(line) for line in out.getvalue().splitlines()]
    assert answers == [
        {"id": 1, "agent_contract_version": "0.1", "action_space": "0.2"},
        {"id": 2},
        {"id": 3, "action": 2, "info": {"work_id": "S1"}},
    ]
    assert agent.told == [(5, {}, "explicit")]


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("no spec", "module:Name"),
        ("no_such_module:Agent", "no_such_module"),
        ("test_runs:Nobody", "Nobody"),
        ("json:JSONDecoder", "act"),
        ("test_runs:OldContract", "0.0"),
    ],
)
def test_the_host_says_why_there_is_no_agent(spec: str, told: str) -> None:
    with pytest.raises(agent_host.HostError, match=told):
        agent_host.load(spec)
