"""Who is refused, why, and in how many episodes: python3 log_with_duckdb.py LOG.parquet"""
import sys

import duckdb

table = duckdb.execute(
    """
    SELECT agent_id, blocked_reason_code, count(*) AS steps, count(DISTINCT episode) AS episodes
    FROM read_parquet(?)
    WHERE status = 'BLOCKED'
    GROUP BY ALL
    ORDER BY steps DESC, agent_id, blocked_reason_code
    """,
    [sys.argv[1]],
)
print(",".join(column[0] for column in table.description))
for row in table.fetchall():
    print(",".join(map(str, row)))
