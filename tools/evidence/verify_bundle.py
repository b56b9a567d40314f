#!/usr/bin/env python3
"""A second verifier of evidence bundles, written from docs/src/reference/evidence.md and from nothing else.

One file, the standard library and `cryptography`. It shares no code with `labtrust verify-bundle`, so that a mistake in
one of them shows. What it does not do: play steps again (it has no engine), recompute fingerprints (it has no YAML), and
bundles in the form of LabTrust-Gym 0.2, whose logs have no events.

    python3 verify_bundle.py BUNDLE [--trust FILE]... [--witness FILE]... [--since FILE] [--allow-extra-files]

Prints one JSON document: passed, errors, levels. Exit 0 when nothing is wrong, 1 otherwise.
"""

import argparse
import base64
import hashlib
import json
import os
import re
import stat
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

LOG = "episode_log_subset.jsonl"
TRACE = "invariant_eval_trace.jsonl"
ENFORCEMENTS = "enforcement_actions.jsonl"
PROOF = "hashchain_proof.json"
MANIFEST = "manifest.json"
PACK = "policy_pack_manifest.v0.1.json"
STATEMENT = "proof/statement.json"
ENVELOPE = "proof/statement.dsse.json"
CHECKPOINT = "proof/checkpoint"
RULES = "labtrust.receipts.v1"
OUTCOME = ("blocked_reason_code", "emits", "enforcements", "status", "token_consumed", "violations")
P = 2**255 - 19


class Bad(Exception):
    """Something does not hold."""


# --- canonical JSON -------------------------------------------------------------------------------------------------


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()


def _pairs(pairs):
    keys = [key for key, _ in pairs]
    if len(set(keys)) != len(keys):
        raise Bad("a key occurs twice")
    return dict(pairs)


def _int(text):
    number = int(text)
    if not -(2**63) <= number < 2**64:
        raise Bad("a number outside 64 bits")
    return number


def _constant(text):
    raise Bad(f"{text} is no JSON")


def _depth(value, depth=0):
    if depth > 64:
        raise Bad("nested too deeply")
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for child in children:
        _depth(child, depth + 1)


def parse(data):
    """The value of canonical JSON; any other text of it is refused."""
    try:
        text = data.decode("ascii")
        value = json.loads(text, object_pairs_hook=_pairs, parse_int=_int, parse_constant=_constant)
        _depth(value)
        own = canonical(value)
    except Bad:
        raise
    except (ValueError, RecursionError) as error:
        raise Bad(f"not canonical JSON: {error}") from None
    if own != data:
        raise Bad("not canonical JSON")
    return value


def parse_file(data):
    if not data.endswith(b"\n"):
        raise Bad("no line feed at the end")
    return parse(data[:-1])


# --- hashes and trees -----------------------------------------------------------------------------------------------


def sha(data):
    return hashlib.sha256(data).hexdigest()


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """RFC 6962, with the roots of complete subtrees only."""

    def __init__(self):
        self.stack, self.size = [], 0

    def push(self, leaf):
        count, digest = 1, hashlib.sha256(b"\x00" + leaf).digest()
        while self.stack and self.stack[-1][0] == count:
            _, left = self.stack.pop()
            count, digest = count * 2, node(left, digest)
        self.stack.append((count, digest))
        self.size += 1

    def root(self):
        if not self.stack:
            return hashlib.sha256(b"").digest()
        digest = self.stack[-1][1]
        for _, left in reversed(self.stack[:-1]):
            digest = node(left, digest)
        return digest


# --- signatures -----------------------------------------------------------------------------------------------------


def unbase64(text):
    try:
        data = base64.b64decode(text, validate=True)
    except (ValueError, TypeError):
        raise Bad("not base64") from None
    if base64.b64encode(data).decode() != text:
        raise Bad("not the base64 of anything")
    return data


def _small_order(encoded):
    """Whether an encoded point has an order of 8 or less: then one signature fits many messages."""
    y = int.from_bytes(encoded, "little") & (2**255 - 1)
    y %= P
    d = -121665 * pow(121666, P - 2, P) % P
    # y of points of order 1, 2, 4: 1, -1, 0; of order 8 the roots of d*y^4 + 2*y^2 - 1.
    return y in (0, 1, P - 1) or (d * pow(y, 4, P) + 2 * y * y - 1) % P == 0


def ed25519(public, message, signature):
    if len(public) != 32 or len(signature) != 64 or _small_order(public) or _small_order(signature[:32]):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def is_name(name):
    return bool(name) and not any(c == "+" or c.isspace() or ord(c) < 32 or 127 <= ord(c) < 160 for c in name)


class Key:
    """A public key, NAME+ID+BASE64(algorithm || key)."""

    def __init__(self, text):
        parts = text.split("+", 2)
        if len(parts) != 3 or not is_name(parts[0]):
            raise Bad("a key is NAME+ID+KEY")
        self.name, self.text = parts[0], text
        data = unbase64(parts[2])
        if len(data) != 33 or data[0] not in (1, 4):
            raise Bad("a key of an unknown algorithm")
        self.algorithm, self.public = data[0], data[1:]
        self.id = hashlib.sha256(self.name.encode() + b"\n" + data).digest()[:4]
        if self.id.hex() != parts[1]:
            raise Bad("the id is not that of the key")
        if _small_order(self.public):
            raise Bad("a key of small order")

    @staticmethod
    def plain(name, public):
        data = b"\x01" + public
        if not is_name(name):
            raise Bad("the name of the key is none")
        ident = hashlib.sha256(name.encode() + b"\n" + data).digest()[:4].hex()
        return Key(f"{name}+{ident}+{base64.b64encode(data).decode()}")

    def holds(self, text, signature):
        if self.algorithm == 4:
            time, signature = int.from_bytes(signature[:8], "big"), signature[8:]
            text = f"cosignature/v1\ntime {time}\n{text}"
        return ed25519(self.public, text.encode(), signature)


class Note:
    """A signed note: a text, and signatures by name, id and bytes."""

    def __init__(self, data):
        try:
            note = data.decode("utf-8")
        except UnicodeDecodeError:
            raise Bad("a note that is not UTF-8") from None
        if any((ord(c) < 32 and c != "\n") or 127 <= ord(c) < 160 for c in note) or len(data) > 1 << 20:
            raise Bad("a note with control characters, or too long")
        text, gap, lines = note.rpartition("\n\n")
        if not gap or not text or not lines.endswith("\n"):
            raise Bad("a note without signatures")
        self.text, self.signatures = text + "\n", []
        for line in lines[:-1].split("\n"):
            match = re.fullmatch("\u2014 ([^ ]+) ([^ ]+)", line)
            if not match or not is_name(match[1]):
                raise Bad("a line of a signature that is none")
            signature = unbase64(match[2])
            if len(signature) < 5 or any(s[:2] == (match[1], signature[:4]) for s in self.signatures):
                raise Bad("a signature that is too short, or the second of its key")
            self.signatures.append((match[1], signature[:4], signature[4:]))
        if len(self.signatures) > 64:
            raise Bad("too many signatures")

    def verify(self, keys):
        good = []
        for name, ident, signature in self.signatures:
            key = next((key for key in keys if (key.name, key.id) == (name, ident)), None)
            if key is None:
                continue
            if not key.holds(self.text, signature):
                raise Bad(f"the signature of {name} does not hold")
            good.append(key)
        return good


def checkpoint(text):
    lines = text.split("\n")
    if len(lines) != 4 or lines[3] or not lines[0] or not re.fullmatch("0|[1-9][0-9]*", lines[1]):
        raise Bad("a checkpoint has an origin, a size and a root")
    root = unbase64(lines[2])
    if len(root) != 32 or int(lines[1]) >= 2**64:
        raise Bad("a checkpoint with a root of another length")
    return lines[0], int(lines[1]), root


def read_keys(paths):
    keys = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        if text.startswith("labtrust.org/key-rotation/v1\n"):
            note = Note(text.encode())
            lines = note.text.split("\n")
            pair = [Key(lines[1]), Key(lines[2])]
            if len(lines) != 4 or len(note.verify(pair)) != 2 or pair[0].text not in [key.text for key in keys]:
                raise Bad(f"{path}: not a rotation from a trusted key")
            keys.append(pair[1])
            continue
        keys += [Key(line) for line in text.splitlines() if line and not line.startswith("#")]
    return keys


# --- the log --------------------------------------------------------------------------------------------------------


def text_of(entry, key):
    value = entry.get(key)
    return value if isinstance(value, str) and value else None


def arg(entry, key):
    args = entry.get("args")
    return args.get(key) if isinstance(args, dict) else None


def arg_text(entry, key):
    value = arg(entry, key)
    return value if isinstance(value, str) and value else None


def texts(value):
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def items(entry, key):
    value = entry.get(key)
    return value if isinstance(value, list) else []


def time_of(entry):
    value = entry.get("t_s")
    return value if isinstance(value, int) and not isinstance(value, bool) and value < 2**63 else 0


def is_full(entry):
    return isinstance(entry.get("event"), dict) and "prev_hash" in entry


class Chain:
    def __init__(self):
        self.episodes, self.step = [], 0

    def take(self, entry):
        if not is_full(entry):
            raise Bad("a line without its event")
        episode, step = entry.get("episode"), entry.get("step")
        if not all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in (episode, step)):
            raise Bad("a line without episode and step")
        if not self.episodes or self.episodes[-1]["episode"] != episode:
            if self.episodes and self.episodes[-1]["episode"] > episode:
                raise Bad("an episode after a later one")
            self.episodes.append(
                {"episode": episode, "head_hash": "", "last_event_hash": "", "length": 0, "lines": 0}
            )
            self.step = 0
        now = self.episodes[-1]
        now["lines"] += 1
        if step < self.step:
            raise Bad("a step after a later one")
        self.step = step
        event = entry["event"]
        as_text = lambda key, none: event[key] if isinstance(event.get(key), str) else none
        stamp = event.get("t_s")
        whole = isinstance(stamp, int) and not isinstance(stamp, bool) and stamp < 2**63
        expected = {
            "action_type": as_text("action_type", ""),
            "agent_id": as_text("agent_id", ""),
            "event_id": as_text("event_id", None),
            "args": event["args"] if isinstance(event.get("args"), dict) else {},
            "t_s": stamp if whole else 0,
        }
        for key, value in expected.items():
            if key not in entry or canonical(entry[key]) != canonical(value):
                raise Bad(f"{key} is not that of the event")
        prev = entry["prev_hash"] if isinstance(entry["prev_hash"], str) else ""
        if prev != now["last_event_hash"]:
            raise Bad("prev_hash is not the hash before")
        stated = entry.get("chain_hash")
        if isinstance(stated, str) and stated:
            if any(key not in entry for key in OUTCOME):
                raise Bad("a part of the outcome is missing")
            record = {"event": event, "outcome": {key: entry[key] for key in OUTCOME}}
            digest = sha(prev.encode() + canonical(record))
            if digest != stated:
                raise Bad("chain_hash is not that of event and outcome")
            now["head_hash"] = now["head_hash"] or digest
            now["last_event_hash"] = digest
            now["length"] += 1
        elif stated is not None:
            raise Bad("chain_hash should be a hash, or null")
        values = {key: now[key] for key in ("head_hash", "last_event_hash", "length")}
        if canonical(entry.get("hashchain")) != canonical(values):
            raise Bad("hashchain is not what the records yield")
        if entry.get("hashchain_head") != now["last_event_hash"]:
            raise Bad("hashchain_head is not the newest hash")


# --- receipts -------------------------------------------------------------------------------------------------------

STAGES = {
    "RECEIVE_BATCH": ("RECEIVED", None),
    "CREATE_ACCESSION": ("ACCESSIONED", None),
    "ACCEPT_SPECIMEN": ("ACCEPTED", "HELD"),
    "REJECT_SPECIMEN": ("REJECTED", "REJECTED"),
    "HOLD_SPECIMEN": ("HELD", "HELD"),
    "CENTRIFUGE_END": ("SEPARATED", None),
    "QUEUE_RUN": ("QUEUED", None),
    "START_RUN": ("IN_RUN", None),
    "START_RUN_OVERRIDE": ("IN_RUN", None),
    "END_RUN": ("MEASURED", None),
}
BOTH = {
    "GENERATE_RESULT": ("GENERATED", "HELD"),
    "HOLD_RESULT": ("HELD", "HELD"),
    "RERUN_REQUEST": ("RERUN", "HELD"),
    "RELEASE_RESULT": ("RELEASED", "RELEASED"),
    "RELEASE_RESULT_OVERRIDE": ("RELEASED", "RELEASED"),
}
TIMES = {
    "RECEIVE_BATCH": ("received", True),
    "CREATE_ACCESSION": ("received", True),
    "ACCEPT_SPECIMEN": ("accepted", False),
    "CENTRIFUGE_END": ("separated", False),
    "QUEUE_RUN": ("queued", True),
    "START_RUN": ("run_started", False),
    "START_RUN_OVERRIDE": ("run_started", False),
    "GENERATE_RESULT": ("result_generated", False),
    "RELEASE_RESULT": ("released", False),
    "RELEASE_RESULT_OVERRIDE": ("released", False),
}
ENFORCED = {"throttle_agent": "throttle", "kill_switch": "kill_switch", "freeze_zone": "freeze_zone",
            "forensic_freeze": "forensic_freeze"}


class Subject:
    def __init__(self):
        self.stage = self.last = self.chain = self.audit = self.first_violation = None
        self.refused = self.generated = False
        self.panel = self.device = None
        self.times, self.codes, self.violated = {}, [], []
        self.consumed, self.minted, self.revoked = [], [], []
        self.attempts, self.acks, self.accessions = [], [], []
        self.enforced = {name: [] for name in ENFORCED.values()}
        self.verified = self.failed = 0
        self.failures = []


class Receipts:
    def __init__(self):
        self.subjects, self.origins, self.runs = {}, {}, {}
        self.custody, self.contents, self.frozen = {}, {}, set()
        self.last_chain, self.count = None, 0

    def take(self, entry):
        index, self.count = self.count, self.count + 1
        episode = entry.get("episode") if isinstance(entry.get("episode"), int) else 0
        action, accepted = text_of(entry, "action_type") or "", entry.get("status") == "ACCEPTED"
        chain = entry.get("hashchain")
        if isinstance(chain, dict):
            self.last_chain = {key: chain.get(key) for key in ("head_hash", "last_event_hash", "length")}
        if any("FORENSIC_FREEZE" in emit for emit in texts(entry.get("emits"))):
            self.frozen.add(episode)
        self._custody(entry, episode, action)
        if accepted and action == "END_RUN" and arg_text(entry, "run_id"):
            for specimen in texts(arg(entry, "specimen_ids")):
                self.runs[episode, arg_text(entry, "run_id"), specimen] = entry["args"]
        if accepted and action == "GENERATE_RESULT" and arg_text(entry, "result_id"):
            origin = (arg_text(entry, "specimen_id"), arg_text(entry, "run_id"))
            self.origins[episode, arg_text(entry, "result_id")] = origin
        for kind, name in self._touched(entry, episode):
            subject = self.subjects.setdefault((kind, name, episode), Subject())
            self._subject(subject, kind, entry, index, action, accepted, chain)

    def _custody(self, entry, episode, action):
        if action == "DISPATCH_TRANSPORT":
            consignment = text_of(entry, "consignment_id")
        elif action in ("CHAIN_OF_CUSTODY_SIGN", "RECEIVE_TRANSPORT"):
            consignment = arg_text(entry, "consignment_id")
        else:
            return
        if not consignment:
            return
        record = {"action_type": action, "t_s": time_of(entry), "consignment_id": consignment,
                  "status": entry.get("status")}
        if action == "CHAIN_OF_CUSTODY_SIGN":
            record["agent_id"] = entry.get("agent_id")
        if action == "DISPATCH_TRANSPORT":
            self.contents.setdefault((episode, consignment), set()).update(texts(arg(entry, "specimen_ids")))
        self.custody.setdefault(episode, []).append((consignment, record))

    def _touched(self, entry, episode):
        specimens = set(texts(entry.get("specimen_ids"))) | set(texts(arg(entry, "specimen_ids")))
        specimens |= {arg_text(entry, "specimen_id")}
        result = arg_text(entry, "result_id")
        if result:
            specimens.add(self.origins.get((episode, result), (None, None))[0])
        touched = [("specimen", name) for name in specimens if name]
        return touched + ([("result", result)] if result else [])

    def _subject(self, subject, kind, entry, index, action, accepted, chain):
        stage = BOTH.get(action) or (STAGES.get(action) if kind == "specimen" else None)
        if stage and accepted:
            subject.stage = stage[0]
            if stage[1]:
                subject.last, subject.refused = stage[1], False
        elif stage:
            subject.refused |= kind == "specimen" or stage[1] not in (None, "HELD")
        if accepted and action in TIMES:
            name, first = TIMES[action]
            if not first or name not in subject.times:
                subject.times[name] = time_of(entry)
        codes = [entry.get("blocked_reason_code")]
        codes += [violation.get("reason_code") for violation in items(entry, "violations")]
        for code in codes:
            if isinstance(code, str) and code and code not in subject.codes:
                subject.codes.append(code)
        subject.consumed += [{"token_id": t, "step_index": index} for t in items(entry, "token_consumed")]
        for violation in items(entry, "violations"):
            if violation.get("status") == "VIOLATION":
                if subject.first_violation is None:
                    subject.first_violation = time_of(entry)
                name = violation.get("invariant_id")
                if "invariant_id" in violation and name not in subject.violated:
                    subject.violated.append(name)
        for enforcement in items(entry, "enforcements"):
            if enforcement.get("type") in ENFORCED:
                subject.enforced[ENFORCED[enforcement["type"]]].append({**enforcement, "t_s": time_of(entry)})
        verification = entry.get("signature_verification")
        if verification is not None:
            if verification.get("passed") is True:
                subject.verified += 1
            else:
                subject.failed += 1
                if verification.get("reason_code") is not None:
                    subject.failures.append(verification["reason_code"])
        if isinstance(chain, dict):
            subject.chain = {key: chain.get(key) for key in ("head_hash", "last_event_hash", "length")}
        if action == "GENERATE_RESULT" and not subject.generated:
            subject.generated = True
            subject.panel, subject.device = arg(entry, "panel_id"), arg(entry, "device_id")
        if text_of(entry, "prompt_hash"):
            keys = ("prompt_hash", "policy_summary_hash", "allowed_actions_hash", "decoder_version")
            subject.audit = {key: entry[key] for key in keys if entry.get(key) is not None}
        if not accepted:
            return
        token = arg(entry, "token_id")
        if token is not None and action in ("MINT_TOKEN", "REVOKE_TOKEN"):
            tokens = subject.minted if action == "MINT_TOKEN" else subject.revoked
            tokens.append({"token_id": token, "step_index": index})
        record = {"action_type": action, "agent_id": text_of(entry, "agent_id"), "t_s": time_of(entry)}
        for key in ("channel", "receiver_role", "read_back_confirmed", "outcome"):
            if arg(entry, key) is not None:
                record[key] = arg(entry, key)
        if action in ("NOTIFY_CRITICAL_RESULT", "ESCALATE_CRITICAL_RESULT"):
            subject.attempts.append(record)
        if action == "ACK_CRITICAL_RESULT":
            subject.acks.append(record)
        if action == "CREATE_ACCESSION" and arg(entry, "accession_id") is not None:
            subject.accessions.append(arg(entry, "accession_id"))

    def finish(self, root_hash):
        released = {}
        for (episode, result), (specimen, _) in self.origins.items():
            subject = self.subjects.get(("result", result, episode))
            if specimen and subject and subject.stage != "RERUN":
                so_far = released.get((episode, specimen), True)
                released[episode, specimen] = so_far and subject.last == "RELEASED"
        plain = lambda kind, name: f"receipt_{kind}_" + re.sub("[^A-Za-z0-9_-]", "_", name)
        wanted = {}
        for kind, name, _ in self.subjects:
            wanted[plain(kind, name).lower()] = wanted.get(plain(kind, name).lower(), 0) + 1
        receipts = {}
        for (kind, name, episode), subject in self.subjects.items():
            file = plain(kind, name)
            if not file.endswith(name) or wanted[file.lower()] > 1 or len(name.encode()) > 120:
                file = file[:120] + "_" + sha(f"{episode}\n{kind}\n{name}".encode())[:12]
            receipts[file + ".v0.1.json"] = self._content(kind, name, episode, subject, released, root_hash)
        return receipts

    def _content(self, kind, name, episode, subject, released, root_hash):
        if subject.last == "REJECTED":
            decision = "REJECTED"
        elif kind == "result" and subject.last == "RELEASED":
            decision = "RELEASED"
        elif kind == "specimen" and released.get((episode, name)):
            decision = "RELEASED"
        else:
            decision = "BLOCKED" if subject.refused or subject.stage is None else "HELD"
        chain = dict(subject.chain or self.last_chain or {"head_hash": "", "last_event_hash": "", "length": 0})
        chain["break_status"] = "broken" if episode in self.frozen else "intact"
        result = kind == "result"
        content = {
            "version": "0.1", "entity_type": kind, "episode": episode, "stage": subject.stage,
            "specimen_id": None if result else name, "result_id": name if result else None,
            "decision": decision, "timestamps": subject.times, "reason_codes": subject.codes,
            "tokens": {"minted": subject.minted, "consumed": subject.consumed, "revoked": subject.revoked},
            "critical_comm_records": {"attempts": subject.attempts, "ack_summary": subject.acks},
            "invariant_summary": {
                "violated_ids": subject.violated, "first_violation_ts": subject.first_violation,
                "final_status": "PASS" if subject.first_violation is None else "VIOLATION",
            },
            "enforcement_summary": subject.enforced, "hashchain": chain, "accession_ids": subject.accessions,
            "device_ids": [subject.device] if result and subject.device is not None else [],
            "panel_id": subject.panel if result else None,
            "signature_summary": {
                "total_verified": subject.verified, "total_failed": subject.failed,
                "first_failure_reason_code": subject.failures[0] if subject.failures else None,
                "failing_reason_codes": sorted(set(subject.failures)),
            },
        }
        if subject.audit is not None:
            content["llm_audit"] = subject.audit
        if not result:
            records = [record for consignment, record in self.custody.get(episode, [])
                       if name in self.contents.get((episode, consignment), ())]
            if records:
                content["chain_of_custody"] = records
        if root_hash is not None:
            content["policy_root_hash"] = root_hash
        if result and (episode, name) in self.origins:
            specimen, run = self.origins[episode, name]
            content["specimen_id"] = specimen
            measured = self.runs.get((episode, run, specimen))
            if measured is not None:
                keys = ("analyte_code", "run_id", "units", "value")
                content["measurement"] = {key: measured[key] for key in keys if measured.get(key) is not None}
                if isinstance(measured.get("device_id"), str):
                    content["device_ids"] = [measured["device_id"]]
        return content


# --- the bundle -----------------------------------------------------------------------------------------------------


class Bundle:
    def __init__(self, directory, options):
        self.directory, self.options, self.errors = directory, options, []
        self.levels = {name: ["not_proved", "not looked at"] for name in
                       ("integrity", "authentic", "append_only", "replayed", "witnessed")}
        self.levels["replayed"] = ["not_proved", "this verifier has no engine"]

    def read(self, name):
        path = os.path.join(self.directory, *name.split("/"))
        if not stat.S_ISREG(os.lstat(path).st_mode):
            raise Bad(f"{name}: not a plain file")
        with open(path, "rb") as file:
            return file.read()

    def attempt(self, place, check):
        try:
            return check()
        except FileNotFoundError:
            self.errors.append(f"{place}: missing")
        except (Bad, OSError, KeyError, TypeError, AttributeError, ValueError) as error:
            self.errors.append(f"{place}: {error}")
        return None

    def verify(self):
        data = self.attempt(MANIFEST, lambda: self.read(MANIFEST))
        manifest = self.attempt(MANIFEST, lambda: parse_file(data)) if data is not None else None
        if not isinstance(manifest, dict) or manifest.get("version") != "0.1":
            self.errors = self.errors or [f"{MANIFEST}: not a manifest"]
            self.levels["integrity"] = ["failed", self.errors[0]]
            return
        self.manifest, self.data = manifest, data
        if manifest.get("receipt_rules") != RULES:
            raise SystemExit("this verifier knows bundles with the receipt rules " + RULES)
        self.files()
        log = self.attempt(LOG, self.log)
        key = self.attempt("manifest signature", self.key)
        note = self.seal(key, log) if log else None
        self.authentic(key)
        self.append_only(key, log, note)
        self.witnessed(note)
        for flag, name in ((self.options.trust, "authentic"), (self.options.since, "append_only"),
                           (self.options.witness, "witnessed")):
            if flag and self.levels[name][0] != "held":
                self.errors.append(f"{name}: {self.levels[name][1]}")
        held = ["held", "every digest and every hash recomputed"]
        self.levels["integrity"] = ["failed", self.errors[0]] if self.errors else held

    def files(self):
        present = set()
        for base, directories, names in os.walk(self.directory):
            for name in directories + names:
                path = os.path.join(base, name)
                relative = os.path.relpath(path, self.directory).replace(os.sep, "/")
                mode = os.lstat(path).st_mode
                if stat.S_ISREG(mode):
                    present.add(relative)
                elif not stat.S_ISDIR(mode):
                    self.errors.append(f"neither file nor directory: {relative}")
        self.listed = {}
        for entry in self.manifest.get("files", []):
            path, digest = entry["path"], entry["sha256"]
            parts = path.split("/")
            if any(part in ("", ".", "..") for part in parts) or "\\" in path or "\0" in path or path == MANIFEST:
                self.errors.append(f"not a path of a file in the bundle: {path}")
            elif path in self.listed:
                self.errors.append(f"listed twice: {path}")
            else:
                self.listed[path] = digest
                if path not in present:
                    self.errors.append(f"missing file: {path}")
                elif sha(self.read(path)) != digest:
                    self.errors.append(f"hash mismatch for {path}")
        own = {MANIFEST, STATEMENT, ENVELOPE, CHECKPOINT}
        if not self.options.allow_extra_files:
            self.errors += [f"unexpected file: {path}" for path in sorted(present - own - set(self.listed))]
        self.present = present

    def log(self):
        data = self.read(LOG)
        if data and not data.endswith(b"\n"):
            raise Bad("it ends in the middle of a line")
        lines = data.split(b"\n")[:-1]
        self.tree, chain, receipts = Tree(), Chain(), Receipts()
        trace, enforcements, last, audit = [], [], None, []
        since = None
        if self.options.since:
            since = self.attempt("since", lambda: checkpoint(Note(self.options.since_data).text)[1])
        self.root_since = self.tree.root() if since == 0 else None
        for index, line in enumerate(lines):
            entry = parse(line)
            if not isinstance(entry, dict):
                raise Bad(f"line {index + 1} is no map")
            self.tree.push(line)
            if self.tree.size == since:
                self.root_since = self.tree.root()
            try:
                chain.take(entry)
            except Bad as error:
                raise Bad(f"line {index + 1}: the hash chain does not hold: {error}") from None
            receipts.take(entry)
            if isinstance(entry.get("hashchain"), dict):
                last = (entry["hashchain"], any("FORENSIC_FREEZE" in e for e in texts(entry.get("emits"))))
            if items(entry, "violations"):
                trace.append({"step_index": index, "t_s": entry.get("t_s"), "violations": entry["violations"]})
            for enforcement in items(entry, "enforcements"):
                enforcements.append({**enforcement, "step_index": index, "t_s": entry.get("t_s")})
            if "proposal_hash" in entry or entry.get("log_type"):
                audit.append(entry)
        self.log_id = sha(lines[0])[:16] if lines else "empty"
        proof = {
            "head_hash": last[0]["head_hash"] if last else "",
            "last_event_hash": last[0]["last_event_hash"] if last else "",
            "length": len(lines), "break_status": "broken" if last and last[1] else "intact",
            "chain_length": sum(episode["length"] for episode in chain.episodes), "episodes": chain.episodes,
        }
        rows = lambda values: b"".join(canonical(value) + b"\n" for value in values)
        expected = {PROOF: canonical(proof) + b"\n", TRACE: rows(trace), ENFORCEMENTS: rows(enforcements)}
        root_hash = None
        if PACK in self.present:
            pack = parse_file(self.read(PACK))
            root_hash = pack["root_hash"]
            covered = {key: pack.get(key) for key in ("version", "partner_id", "files")}
            if root_hash != sha(canonical(covered)) or self.manifest.get("policy_root_hash") != root_hash:
                self.errors.append(f"{PACK}: root_hash is not that of its files, or not that of the manifest")
        for name, content in receipts.finish(root_hash).items():
            expected[name] = canonical(content) + b"\n"
        for name, content in expected.items():
            actual = self.attempt(name, lambda name=name: self.read(name))
            if actual is not None and actual != content:
                self.errors.append(f"{name}: it is not what the log yields")
        for name in self.listed:
            if name.startswith("receipt_") and name.endswith(".v0.1.json") and name not in expected:
                self.errors.append(f"{name}: the log yields no such receipt")
        if audit or "coordination_audit_digest_sha256" in self.manifest:
            self.errors.append("records of language models are not verified here")
        for name in (PACK, "run_facts.v0.2.json"):
            if name in self.present:
                self.attempt(name, lambda name=name: parse_file(self.read(name)))
        return True

    def key(self):
        signature = self.manifest.get("signature")
        if signature is None:
            return None
        if signature["algorithm"] != "ed25519":
            raise Bad("another algorithm than ed25519")
        key = Key.plain(signature["key_id"], unbase64(signature["public_key_b64"]))
        body = {name: value for name, value in self.manifest.items() if name != "signature"}
        if not ed25519(key.public, canonical(body), unbase64(signature["signature_b64"])):
            raise Bad("SIG_INVALID")
        return key

    def seal(self, key, _):
        statement = canonical({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": MANIFEST, "digest": {"sha256": sha(self.data)}}],
            "predicateType": "https://labtrust.org/evidence-bundle/v0.2",
            "predicate": {"log_size": self.tree.size, "log_root_sha256": self.tree.root().hex()},
        })
        if key is None:
            for name in (ENVELOPE, CHECKPOINT):
                if name in self.present:
                    self.errors.append(f"{name}: there is one, and {MANIFEST} is not signed")
            if self.attempt(STATEMENT, lambda: self.read(STATEMENT)) not in (None, statement):
                self.errors.append(f"{STATEMENT}: it is not about this manifest and this log")
            return None
        if STATEMENT in self.present:
            self.errors.append(f"{STATEMENT}: there is one, and {MANIFEST} is signed")
        self.attempt(ENVELOPE, lambda: self.envelope(key, statement))
        return self.attempt(CHECKPOINT, lambda: self.checkpoint(key))

    def envelope(self, key, statement):
        envelope = parse(self.read(ENVELOPE))
        kind = "application/vnd.in-toto+json"
        if set(envelope) != {"payload", "payloadType", "signatures"} or envelope["payloadType"] != kind:
            raise Bad("not an envelope of a statement")
        (one,) = envelope["signatures"]
        payload = unbase64(envelope["payload"])
        if set(one) != {"keyid", "sig"} or one["keyid"] != key.text:
            raise Bad("not signed with the key of the manifest")
        encoded = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)
        if not ed25519(key.public, encoded, unbase64(one["sig"])):
            raise Bad("SIG_INVALID")
        if payload != statement:
            raise Bad("it is not about this manifest and this log")

    def checkpoint(self, key):
        note = Note(self.read(CHECKPOINT))
        if not note.verify([key]):
            raise Bad("not signed with the key of the manifest")
        self.now = checkpoint(note.text)
        if self.now != (f"{key.name}/{self.log_id}", self.tree.size, self.tree.root()):
            raise Bad("it is of another log, or of another length of it")
        return note

    def authentic(self, key):
        if key is None:
            self.levels["authentic"] = ["not_proved", "nobody signed it"]
        elif self.errors:
            self.levels["authentic"] = ["failed", self.errors[0]]
        elif any(trusted.public == key.public for trusted in self.options.keys):
            self.levels["authentic"] = ["held", f"signed with the trusted key {key.name}"]
        else:
            state = "failed" if self.options.keys else "not_proved"
            self.levels["authentic"] = [state, f"signed with the key {key.name}, which nobody said to trust"]

    def append_only(self, key, log, note):
        if not self.options.since:
            self.levels["append_only"] = ["not_proved", "no older checkpoint was given"]
            return
        try:
            if not log:
                raise Bad("the log could not be read")
            older = Note(self.options.since_data)
            if not older.verify(self.options.keys + ([key] if key else [])):
                raise Bad("the older checkpoint is not signed with a known key")
            origin, size, root = checkpoint(older.text)
            same = origin == self.now[0] if note else origin.rpartition("/")[2] == self.log_id
            if not same or self.root_since != root:
                raise Bad("the log does not go on from the older checkpoint")
            self.levels["append_only"] = ["held", f"its first {size} lines are those of the older checkpoint"]
        except Bad as error:
            self.levels["append_only"] = ["failed", str(error)]

    def witnessed(self, note):
        try:
            good = note.verify(self.options.witnesses) if note else []
            state = "held" if good else "not_proved"
            self.levels["witnessed"] = [state, f"seen by {len(good)} witnesses"]
        except Bad as error:
            self.levels["witnessed"] = ["failed", str(error)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("bundles", nargs="+")
    parser.add_argument("--trust", action="append", default=[])
    parser.add_argument("--witness", action="append", default=[])
    parser.add_argument("--since")
    parser.add_argument("--allow-extra-files", action="store_true")
    options = parser.parse_args()
    options.keys, options.witnesses = read_keys(options.trust), read_keys(options.witness)
    if options.since:
        with open(options.since, "rb") as file:
            options.since_data = file.read()
    passed = True
    for directory in options.bundles:
        bundle = Bundle(directory, options)
        bundle.verify()
        passed &= not bundle.errors
        levels = {name: {"state": state, "why": why} for name, (state, why) in bundle.levels.items()}
        print(json.dumps({"bundle": directory, "passed": not bundle.errors, "errors": bundle.errors, "levels": levels}))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
