"""Who is refused, why, and in how many episodes: python3 log_with_polars.py LOG.parquet"""
import sys

import polars as pl

table = (
    pl.scan_parquet(sys.argv[1])
    .filter(pl.col("status") == "BLOCKED")
    .group_by("agent_id", "blocked_reason_code")
    .agg(pl.len().alias("steps"), pl.col("episode").n_unique().alias("episodes"))
    .sort("steps", "agent_id", "blocked_reason_code", descending=[True, False, False])
    .collect()
)
print(table.write_csv(), end="")
