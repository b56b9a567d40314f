"""Read one episode log in columns with pandas, polars, DuckDB and pyarrow, and compare with the log of lines.

    python tests/python/logs_in_columns.py LOG.jsonl LOG.parquet OUT.jsonl

Every reader must see the same values, which must be those of the lines. The examples of the documentation are run on the
file and must print one table. OUT.jsonl gets the lines as they are in the file.
"""

import collections
import json
import pathlib
import subprocess
import sys

import duckdb
import pandas as pd
import polars as pl
import pyarrow.parquet as pq

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "docs" / "examples" / "logs"


def told(number, line, seeds, task):
    """What the columns of a line should say."""
    record = json.loads(line)
    event, checks = record["event"], record["violations"]
    return {
        "line": number,
        "task": task,
        "episode": record["episode"],
        "seed": seeds[record["episode"]],
        "step": record["step"],
        "t_s": record["t_s"],
        "agent_id": record["agent_id"],
        "role_id": record.get("rbac_decision", {}).get("role_id"),
        "action_type": record["action_type"],
        "status": record["status"],
        "blocked_reason_code": record["blocked_reason_code"],
        "given_reason_code": event.get("reason_code"),
        "event_id": record["event_id"],
        "args_json": json.dumps(record["args"], sort_keys=True, separators=(",", ":")),
        "specimen_ids": record["specimen_ids"],
        "emits": record["emits"],
        "violations": [check["invariant_id"] for check in checks if check["status"] == "VIOLATION"],
        "invariants_held": sum(check["status"] == "PASS" for check in checks),
        "enforcements": [enforcement["type"] for enforcement in record["enforcements"]],
        "token_refs": event.get("token_refs", []),
        "token_consumed": record["token_consumed"],
        "key_id": event.get("key_id"),
        "signature_passed": record.get("signature_verification", {}).get("passed"),
        "chain_length": record["hashchain"]["length"],
        "prev_hash": record["prev_hash"],
        "chain_hash": record["chain_hash"],
        "record_json": line,
    }


def with_duckdb(path):
    table = duckdb.execute("SELECT * FROM read_parquet(?) ORDER BY line", [str(path)])
    names = [column[0] for column in table.description]
    return [dict(zip(names, row)) for row in table.fetchall()]


def with_pandas(path):
    def plain(value):
        if hasattr(value, "tolist"):
            value = value.tolist()
        if isinstance(value, list):
            return value
        return None if pd.isna(value) else value

    frame = pd.read_parquet(path)
    return [{name: plain(value) for name, value in row.items()} for row in frame.to_dict("records")]


READERS = {
    "pyarrow": lambda path: pq.read_table(path).to_pylist(),
    "polars": lambda path: pl.read_parquet(path).to_dicts(),
    "DuckDB": with_duckdb,
    "pandas": with_pandas,
}


def examples(parquet, rows):
    """The documentation's programs: one table from three tools, and the right one."""
    refused = collections.Counter()
    episodes = collections.defaultdict(set)
    for row in rows:
        if row["status"] == "BLOCKED":
            who = (row["agent_id"], row["blocked_reason_code"])
            refused[who] += 1
            episodes[who].add(row["episode"])
    ordered = sorted(refused.items(), key=lambda entry: (-entry[1], entry[0]))
    lines = [f"{agent},{reason},{count},{len(episodes[agent, reason])}" for (agent, reason), count in ordered]
    assert lines, "nothing was refused: the examples have nothing to show"
    expected = "\n".join(["agent_id,blocked_reason_code,steps,episodes", *lines, ""])
    programs = sorted(EXAMPLES.glob("*.py"))
    assert len(programs) == 3, programs
    for program in programs:
        printed = subprocess.run([sys.executable, "-B", program, parquet], check=True, capture_output=True, text=True).stdout
        assert printed == expected, f"{program.name} prints\n{printed}instead of\n{expected}"

    query = (EXAMPLES / "slowest.sql").read_text().replace("run/log.parquet", str(parquet))
    slowest = duckdb.execute(query).fetchall()
    begun, released = {}, {}
    for row in rows:
        for specimen in row["specimen_ids"] if row["status"] == "ACCEPTED" else []:
            key = (row["seed"], specimen)
            begun.setdefault(key, row["t_s"])
            if row["action_type"] == "RELEASE_RESULT":
                released[key] = row["t_s"]
    turnarounds = sorted((begun[key] - released[key], *key) for key in released)
    assert slowest == [(seed, specimen, -negative) for negative, seed, specimen in turnarounds[:10]], slowest
    assert slowest, "nothing was released"


def main():
    log, parquet, out = map(pathlib.Path, sys.argv[1:])
    index = [json.loads(line) for line in log.with_name("episodes.jsonl").read_text().splitlines()]
    seeds = {entry["episode"]: entry["seed"] for entry in index}
    lines = log.read_bytes().decode().splitlines()
    rows = [told(number, line, seeds, index[0]["task"]) for number, line in enumerate(lines, 1)]
    for name, read in READERS.items():
        found = read(parquet)
        assert len(found) == len(rows), f"{name} reads {len(found)} rows of {len(rows)}"
        for row, expected in zip(found, rows):
            assert row == expected, f"{name}, line {expected['line']}:\n{row}\ninstead of\n{expected}"
            assert list(row) == list(expected), f"{name}: {list(row)}"
    examples(parquet, rows)
    out.write_text("".join(row["record_json"] + "\n" for row in READERS["pyarrow"](parquet)))
    groups = pq.ParquetFile(parquet).num_row_groups
    assert groups > 1, "one group of rows only: nothing was shown of several"
    print(f"{len(rows)} rows in {groups} groups, read alike by {', '.join(READERS)}")


main()
