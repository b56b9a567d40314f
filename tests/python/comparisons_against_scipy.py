"""Compute the tables of a study again from its episodes, with SciPy.

    cargo run -p labtrust-comparison --example study_of_noise DIRECTORY
    python tests/python/comparisons_against_scipy.py DIRECTORY

Reads `summary/episodes.csv` and nothing else to compute with. Compares means, exact intervals of proportions, bootstrap intervals, paired
differences, p values of the sign-flip test, their correction by Holm, sizes of effects and shares of first ranks. Figures of draws may differ
by what draws differ by; all others by rounding.
"""

import csv
import sys
from collections import defaultdict
from itertools import combinations
from pathlib import Path

import numpy as np
from scipy import stats

CLOSE = 1e-9
# Ends of intervals from 2000 draws, in standard errors of the mean: of a single one, and of all of them on average.
DRAWN = 1.0
DRAWN_ON_AVERAGE = 0.05
METRICS = {
    "perf.throughput": 1,
    "perf.p95_tat": -1,
    "perf.on_time_rate": 1,
    "safety.violations_total": -1,
    "sec.attack_success_rate": -1,
    "resilience.common_score": 1,
}
complaints = []
compared = 0
outwards = []


def check(what, found, expected, allowed=CLOSE):
    """Takes note of a difference above `allowed`, absolute for small numbers and relative for large ones."""
    global compared
    compared += 1
    found, expected = float(found), float(expected)
    if not abs(found - expected) <= allowed * max(1.0, abs(expected)):
        complaints.append(f"{what}: {found!r}, here {expected!r}")


def table(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def holm(values):
    """Holm's adjusted p values, by the definition."""
    order = np.argsort(values, kind="stable")
    adjusted = np.empty(len(values))
    for i, place in enumerate(order):
        steps = [(len(values) - j) * values[order[j]] for j in range(i + 1)]
        adjusted[place] = min(1.0, max(steps))
    return adjusted


def expanded(n):
    """The level of percentiles that makes them as wide as Student's interval of n normal values (Hesterberg 2015)."""
    return 1 - 2 * stats.norm.cdf(-np.sqrt(n / (n - 1)) * stats.t.ppf(0.975, n - 1))


def bootstrap(what, row, prefix, values):
    error = np.std(values, ddof=1) / np.sqrt(len(values))
    if error < 1e-12:
        low = high = values[0]
    else:
        found = stats.bootstrap(
            (values,), np.mean, n_resamples=20_000, method="percentile", confidence_level=expanded(len(values)), rng=np.random.default_rng(1)
        ).confidence_interval
        low, high = found.low, found.high
    allowed = DRAWN * error
    for end, expected in [("lower", low), ("upper", high)]:
        found = float(row[f"{prefix}_ci_{end}"])
        check(f"{what}, {end} end", found, expected, max(CLOSE, allowed / max(1.0, abs(expected))))
        if error >= 1e-12:
            outwards.append((expected - found if end == "lower" else found - expected) / error)


def main(directory):
    cells = defaultdict(dict)
    for row in table(directory / "summary/episodes.csv"):
        cells[row["scale_id"], row["method_id"], row["injection_id"]][row["episode"], row["seed"]] = row

    def values(key, metric):
        return {work: float(row[metric]) for work, row in cells[key].items() if row[metric] != ""}

    for row in table(directory / "summary/summary_coord.csv"):
        key = row["scale_id"], row["method_id"], row["injection_id"]
        of = {metric: np.array(list(values(key, metric).values())) for metric in METRICS}
        check(f"{key} throughput", row["perf.throughput"], of["perf.throughput"].mean())
        check(f"{key} violations", row["safety.violations_total"], of["safety.violations_total"].sum())
        bootstrap(f"{key} throughput", row, "perf.throughput", of["perf.throughput"])
        bootstrap(f"{key} turnaround", row, "perf.p95_tat", of["perf.p95_tat"])
        bootstrap(f"{key} violations", row, "safety.violations_per_episode", of["safety.violations_total"])
        successes = of["sec.attack_success_rate"]
        if len(successes):
            exact = stats.binomtest(int(successes.sum()), len(successes)).proportion_ci(method="exact")
            check(f"{key} success, lower", row["sec.attack_success_rate_ci_lower"], exact.low)
            check(f"{key} success, upper", row["sec.attack_success_rate_ci_upper"], exact.high)

    scales = sorted({key[0] for key in cells})
    methods = sorted({key[1] for key in cells})
    attacks = sorted({key[2] for key in cells} - {"none"})

    def common(scale, method, injection, metric):
        """Figures by episode; of all attacks together, their mean."""
        chosen = attacks if injection == "*" else [injection]
        all_values = [values((scale, method, one), metric) for one in chosen]
        return {work: np.mean([one[work] for one in all_values]) for work in all_values[0]} if all_values[0] else {}

    rows = {
        tuple(row[column] for column in ["scale_id", "injection_id", "metric", "method_a", "method_b"]): row
        for row in table(directory / "summary/comparisons.csv")
    }
    families = defaultdict(list)
    seen = 0
    for scale in scales:
        for injection in ["none", "*", *attacks]:
            for metric, sign in METRICS.items():
                for a, b in combinations(methods, 2):
                    first, second = (common(scale, method, injection, metric) for method in (a, b))
                    key = scale, injection, metric, a, b
                    if not first:
                        assert key not in rows, key
                        continue
                    row = rows[key]
                    seen += 1
                    pairs = sorted(first)
                    x, y = (np.array([one[work] for work in pairs]) for one in (first, second))
                    d = x - y
                    check(f"{key} difference", row["difference"], d.mean())
                    bootstrap(f"{key} difference", row, "difference", d)
                    # Whole numbers: equal sums must not differ in their last digit.
                    whole = np.round(d * 1e9)
                    test = stats.permutation_test((whole,), np.sum, permutation_type="samples", n_resamples=np.inf, vectorized=False)
                    check(f"{key} p", row["p_value"], test.pvalue)
                    delta = 2 * stats.mannwhitneyu(x, y).statistic / (len(x) * len(y)) - 1
                    check(f"{key} delta", row["cliffs_delta"], delta)
                    if row["cohens_d_z"] != "":
                        check(f"{key} d_z", row["cohens_d_z"], d.mean() / np.std(d, ddof=1))
                    sort = {"none": "baseline", "*": "attacked"}.get(injection, "by_injection")
                    differing = np.count_nonzero(whole)
                    check(f"{key} pairs that differ", row["pairs_differing"], differing)
                    # Too few of them cannot reach 0.05, and are not counted (Tarone 1990).
                    if differing >= 6:
                        families[scale, metric, sort].append((row, test.pvalue, sign * d.mean()))
                    else:
                        check(f"{key} p_holm", row["p_holm"], 1)
    assert seen == len(rows), (seen, len(rows))
    for key, members in families.items():
        for (row, _, advantage), adjusted in zip(members, holm([p for _, p, _ in members])):
            check(f"{key} {row['method_a']} {row['method_b']} p_holm", row["p_holm"], adjusted)
            better = "indistinguishable"
            if adjusted < 0.05 and advantage != 0:
                better = row["method_a"] if advantage > 0 else row["method_b"]
            if row["verdict"] != better:
                complaints.append(f"{key}: {row['verdict']}, here {better}")

    draws = np.random.default_rng(2).integers(0, 12, (20_000, 12))
    for row in table(directory / "summary/ranks.csv"):
        sign = METRICS[row["metric"]]
        merits = []
        for method in methods:
            of = common(row["scale_id"], method, row["injection_id"], row["metric"])
            merits.append(sign * np.array([of[work] for work in sorted(of)])[draws].mean(axis=1).round(9))
        merits = np.array(merits)
        first = merits == merits.max(axis=0)
        share = (first[methods.index(row["method_id"])] / first.sum(axis=0)).mean()
        check(f"{row['scale_id']} {row['injection_id']} {row['metric']} {row['method_id']} first", row["first_share"], share, 0.05)

    check("how far out the ends of intervals are", np.mean(outwards), 0.0, DRAWN_ON_AVERAGE)
    for complaint in complaints[:10]:
        print(complaint, file=sys.stderr)
    print(f"ends of intervals lie {np.mean(outwards):+.3f} standard errors further out")
    print(f"{compared} figures compared, {len(complaints)} differ")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
