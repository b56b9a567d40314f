"""Compare the statistics of this project with SciPy's.

    cargo run -p labtrust-bench --example statistics_json | python tests/python/stats_against_scipy.py

Reads the JSON that the example prints: inputs and answers. Computes every answer again from the inputs and fails with
the first ten that are further away than they may be. Where SciPy has no such function (MSER-5) the rule is written out
here a second time, slowly.
"""

import json
import sys

import numpy as np
from scipy import special, stats

# Twelve digits are promised; SciPy's beta and normal distributions are good to about thirteen.
CLOSE = 1e-12
# SciPy's quantiles of Student's t are good to ten: of one degree of freedom, where they are tangents, they differ in
# the eleventh digit from its own tangents.
STUDENT_CLOSE = 1e-10
complaints = []
compared = 0


def check(what, found, expected, allowed=CLOSE):
    """Takes note of a difference above `allowed`, absolute for small numbers and relative for large ones."""
    global compared
    compared += 1
    found, expected = float(found), float(expected)
    if not abs(found - expected) <= allowed * max(1.0, abs(expected)):
        complaints.append(f"{what}: {found!r}, SciPy {expected!r}")


def check_bounds(what, found, expected, allowed=CLOSE):
    check(f"{what}, lower end", found[0], expected[0], allowed)
    check(f"{what}, upper end", found[1], expected[1], allowed)


def proportions(rows):
    for row in rows:
        k, n, level = row["successes"], row["trials"], row["level"]
        exact = stats.binomtest(k, n).proportion_ci(confidence_level=level, method="exact")
        tail = (1 - level) / 2
        lower = stats.beta.ppf(tail, k, n - k + 1) if k > 0 else 0.0
        upper = stats.beta.isf(tail, k + 1, n - k) if k < n else 1.0
        check_bounds(f"{k} of {n} at {level}", row["bounds"], (lower, upper))
        # A root finder in SciPy with coarse steps, but a second opinion of other origin.
        check_bounds(f"{k} of {n} at {level} (binomtest)", row["bounds"], (exact.low, exact.high), 1e-9)
        check(f"worst case of {n} at {level}", row["worst_case"], stats.beta.ppf(level, 1, n))


def student(freedom, level):
    """The two-sided quantile of Student's t, by way of SciPy's beta distribution."""
    inside = special.betaincinv(0.5, freedom / 2, level)
    outside = special.betaincinv(freedom / 2, 0.5, 1 - level)
    return np.sqrt(freedom * inside / outside)


def quantiles(rows):
    for freedom, level, found in rows["student"]:
        check(f"t of {freedom} at {level}", found / student(freedom, level), 1.0)
        check(f"t of {freedom} at {level} (t)", found / stats.t.isf((1 - level) / 2, freedom), 1.0, STUDENT_CLOSE)
    for p, found in rows["normal"]:
        check(f"normal quantile of {p}", found, stats.norm.ppf(p))
    for z, found in rows["normal_cdf"]:
        expected = stats.norm.cdf(z)
        check(f"normal probability of {z}", found / expected, 1.0)


def means(rows):
    for number, row in enumerate(rows):
        values = np.array(row["values"])
        n = len(values)
        check(f"mean {number}", row["mean"], np.mean(values))
        check(f"deviation {number}", row["std"], np.std(values, ddof=1))
        for level, found in row["intervals"]:
            half = student(n - 1, level) * stats.sem(values)
            check_bounds(f"mean {number} at {level}", found, (np.mean(values) - half, np.mean(values) + half))
        for percent, found in row["percentiles"]:
            check(f"percentile {percent} of sample {number}", found, np.percentile(values, percent))


def pairs(rows):
    for number, row in enumerate(rows):
        test = stats.ttest_rel(row["first"], row["second"])
        interval = test.confidence_interval(row["level"])
        what = f"pairs {number} at {row['level']}"
        check_bounds(what, row["bounds"], (interval.low, interval.high), STUDENT_CLOSE)
        check(f"{what}, mean", row["mean"], np.mean(np.subtract(row["first"], row["second"])))


def bootstraps(rows):
    for number, row in enumerate(rows):
        values, level = np.array(row["values"]), row["level"]
        replicates = np.array(row["replicates"])
        for method in ("percentile", "BCa"):
            # SciPy makes an interval from our replicates, and draws none of its own.
            ours = stats._resampling.BootstrapResult(None, replicates, None)
            made = stats.bootstrap(
                (values,), np.mean, n_resamples=0, bootstrap_result=ours, method=method, confidence_level=level
            ).confidence_interval
            check_bounds(f"bootstrap {number}, {method}", row[method.lower()], (made.low, made.high), 1e-9)
        # And the replicates are a bootstrap: their spread is that of the mean of a sample drawn with replacement.
        check(f"bootstrap {number}, spread", np.std(replicates) / (np.std(values) / np.sqrt(len(values))), 1.0, 0.05)


def mser5(series):
    """The rule, written out: the cut with the least sum of squares over squared count."""
    batches = [sum(series[5 * i : 5 * i + 5]) / 5 for i in range(len(series) // 5)]
    if len(batches) < 10:
        return None
    best = None
    for cut in range(len(batches) - 4):
        kept = np.array(batches[cut:])
        error = np.sum((kept - kept.mean()) ** 2) / len(kept) ** 2
        if best is None or error < best[1]:
            best = (cut, error)
    return 5 * best[0] if best[0] <= len(batches) // 2 else None


def warm_ups(rows):
    for number, row in enumerate(rows):
        expected = mser5(row["series"])
        check(f"warm-up {number}", -1 if row["leave_out"] is None else row["leave_out"], -1 if expected is None else expected)
    answers = [row["leave_out"] for row in rows]
    if None not in answers or not any(answers):
        complaints.append(f"the warm-up examples do not tell anything: {answers}")


def main():
    given = json.load(sys.stdin)
    for part in (proportions, quantiles, means, pairs, bootstraps, warm_ups):
        part(given[part.__name__])
    for complaint in complaints[:10]:
        print(complaint, file=sys.stderr)
    if complaints:
        sys.exit(f"{len(complaints)} of {compared} figures are not SciPy's")
    print(f"{compared} figures agree with SciPy")


main()
