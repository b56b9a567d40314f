"""Suite, pack, gate, report, register and safety case, one after the other, by the program itself.

assurance.py PROGRAM PAGE [--write]

Fails where a command says otherwise than it should, and where the table of the pack in PAGE is another one (unless it is to
be written). Needs nothing but Python's own library.
"""

import csv
import filecmp
import json
import pathlib
import subprocess
import sys
import tempfile
import time

BEGIN, END = "<!-- security pack: begin -->", "<!-- security pack: end -->"
PRESET = "hospital_lab_core"


def call(program, *arguments, code=0):
    began = time.monotonic()
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != code:
        sys.exit(f"labtrust {' '.join(arguments)}: exit {done.returncode} instead of {code}\n{done.stdout}{done.stderr}")
    name = next(word for word in arguments if word != "-q")
    print(f"labtrust {name}: {time.monotonic() - began:.1f} s", flush=True)
    return done.stdout


def same_files(one, other):
    """Every file but the durations has the same bytes."""
    names = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file() and path.name != "timings.json")
    theirs = sorted(path.relative_to(other) for path in other.rglob("*") if path.is_file() and path.name != "timings.json")
    _, different, missing = filecmp.cmpfiles(one, other, names, shallow=False)
    if names != theirs or different or missing:
        sys.exit(f"{one} and {other} differ: {different or missing or 'other files'}")


def table(pack):
    with open(pack / "pack_summary.csv", newline="", encoding="utf-8") as file:
        cells = list(csv.DictReader(file))
    gate = [line.split("|")[1:-1] for line in (pack / "pack_gate.md").read_text().splitlines() if line.startswith("| ")][1:]
    verdicts = {tuple(part.strip() for part in row[:3]): (row[3].strip(), row[4].strip()) for row in gate}
    short = lambda text: f"{float(text):.2f}" if text else ""
    lines = [
        "| size | method | injection | verdict | results an episode | success | upper bound | episodes it reached | of the work is done | succeeds without controls, within |",
        "| --- | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for cell in cells:
        key = (cell["scale_id"], cell["method_id"], cell["injection_id"])
        potency = cell["sec.potency"]
        within = f"{round(1 / float(potency))}" if potency and float(potency) > 0 else ""
        verdict, why = verdicts[key]
        # Why nothing is shown, in the words of the gate.
        reason = why[why.find("(") : why.find(")") + 1] if verdict not in ("PASS", "FAIL") and "(" in why else ""
        lines.append(
            f"| `{key[0]}` | `{key[1]}` | `{key[2]}` | {f'{verdict} {reason}'.strip()} | {short(cell['perf.throughput'])} | {short(cell['sec.attack_success_rate'])} "
            f"| {short(cell['sec.worst_case_attack_success_upper_95'])} | {cell['sec.applied_episodes']} | {short(cell['perf.utility_ratio'])} | {within} |"
        )
    return "\n".join(lines)


def main():
    program, page = sys.argv[1], pathlib.Path(sys.argv[2])
    program = str(pathlib.Path(program).resolve())
    with tempfile.TemporaryDirectory() as directory:
        where = pathlib.Path(directory)
        pack, again, suite = where / "pack", where / "again", where / "suite"
        call(program, "-q", "run-coordination-security-pack", "--matrix-preset", PRESET, "--out", str(pack))
        small = ["--matrix-preset", PRESET, "--scale-ids", "small_smoke", "--method-ids", "kernel_centralized_edf", "market_auction"]
        for out, workers in (again, "2"), (where / "alone", "1"):
            call(program, "-q", "run-coordination-security-pack", *small, "--out", str(out), "--workers", workers)
        same_files(again, where / "alone")
        made = table(pack)
        text = page.read_text(encoding="utf-8")
        before, rest = text.split(BEGIN)
        shown, after = rest.split(END)
        if "--write" in sys.argv:
            page.write_text(f"{before}{BEGIN}\n\n{made}\n\n{END}{after}", encoding="utf-8")
        elif shown.strip() != made:
            print(made)
            sys.exit(f"{page} does not show this table; .ci/assurance PROGRAM --write writes it")
        call(program, "-q", "check-security-gate", "--run", str(pack))
        call(program, "-q", "build-lab-coordination-report", "--pack-dir", str(pack), "--out", str(where / "report"))
        decision = json.loads((where / "report" / "COORDINATION_DECISION.v0.1.json").read_text())
        if decision["verdict"] == "security_gate_failed":
            sys.exit("the decision says that the gate failed, and it did not")
        # A gate that fails recommends nothing.
        gate = pack / "pack_gate.md"
        gate.write_text(gate.read_text().replace("| PASS |", "| FAIL |", 1))
        call(program, "-q", "check-security-gate", "--run", str(pack), code=1)
        call(program, "-q", "recommend-coordination-method", "--run", str(pack), "--out", str(where / "failed"))
        failed = json.loads((where / "failed" / "COORDINATION_DECISION.v0.1.json").read_text())
        chosen = [scale["chosen_method_id"] for scale in failed["scale_decisions"]]
        if failed["verdict"] != "security_gate_failed" or any(chosen):
            sys.exit(f"past a failed gate the decision is {failed['verdict']}, {chosen}")

        call(program, "-q", "run-security-suite", "--out", str(suite))
        call(program, "-q", "run-security-suite", "--without", "CTRL-LLM-SHIELD", "--skip-system-level", "--out", str(where / "open"), code=1)
        call(program, "-q", "export-risk-register", "--runs", str(suite), "--runs", str(again), "--out", str(where / "register"))
        call(program, "-q", "safety-case", "--out", str(suite))
        call(program, "-q", "audit-selfcheck", "--out", str(where / "selfcheck"))
    print(f"{made.count(' PASS ')} of {made.count(chr(10)) - 1} cells pass")


main()
