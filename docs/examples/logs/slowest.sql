SELECT seed, specimen, max(t_s) FILTER (action_type = 'RELEASE_RESULT') - min(t_s) AS turnaround_s
FROM (SELECT seed, t_s, action_type, unnest(specimen_ids) AS specimen FROM read_parquet('run/log.parquet') WHERE status = 'ACCEPTED')
GROUP BY seed, specimen
HAVING turnaround_s IS NOT NULL
ORDER BY turnaround_s DESC, seed, specimen
LIMIT 10
