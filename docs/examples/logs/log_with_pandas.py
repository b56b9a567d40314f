"""Who is refused, why, and in how many episodes: python3 log_with_pandas.py LOG.parquet"""
import sys

import pandas as pd

columns = ["episode", "agent_id", "status", "blocked_reason_code"]
log = pd.read_parquet(sys.argv[1], columns=columns)
refused = log[log.status == "BLOCKED"]
table = (
    refused.groupby(["agent_id", "blocked_reason_code"])
    .agg(steps=("episode", "size"), episodes=("episode", "nunique"))
    .reset_index()
    .sort_values(["steps", "agent_id", "blocked_reason_code"], ascending=[False, True, True])
)
print(table.to_csv(index=False), end="")
