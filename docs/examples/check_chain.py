"""Check the hash chain of an episode log by hand: python3 check_chain.py LOG.jsonl

Uses nothing of LabTrust. Every episode has its own chain. Exit code 0 when it holds, 1 when it does not.
"""
import hashlib
import json
import sys

OUTCOME = ["blocked_reason_code", "emits", "enforcements", "status", "token_consumed", "violations"]
COPIES = {"action_type": "", "agent_id": "", "args": {}, "event_id": None, "t_s": 0}


def wrong(line, last):
    """Says what is wrong with a line that follows the hash `last`, or None."""
    if line["prev_hash"] != last:
        return "does not follow the record before it"
    if any(line[key] != line["event"].get(key, default) for key, default in COPIES.items()):
        return "says something else than its event"
    if line["chain_hash"] is None:  # refused while the log was frozen: told, but not in the chain
        return None
    record = {"event": line["event"], "outcome": {key: line[key] for key in OUTCOME}}
    text = last + json.dumps(record, sort_keys=True, separators=(",", ":"))
    return None if hashlib.sha256(text.encode()).hexdigest() == line["chain_hash"] else "was changed: its hash differs"


heads, counts = {}, {}
for number, text in enumerate(open(sys.argv[1], encoding="utf-8"), 1):
    line = json.loads(text)
    last = heads.get(line["episode"], "")
    if fault := wrong(line, last):
        sys.exit(f"line {number} (episode {line['episode']}, step {line['step']}) {fault}")
    heads[line["episode"]] = line["chain_hash"] or last
    counts[line["episode"]] = counts.get(line["episode"], 0) + (line["chain_hash"] is not None)
for episode, head in heads.items():
    print(f"episode {episode}: {counts[episode]} records, head {head}")
