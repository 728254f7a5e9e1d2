-- Since when views have failed.

-- name: failure_streaks
-- For each wanted name and time: the start of the first failure after the last success before that time, and the start of
-- that success. Each takes one row of an index.
SELECT wanted.table_name, streak.since, success.start_time
FROM unnest(%(names)s::text[], %(starts)s::timestamptz[]) AS wanted (table_name, started)
LEFT JOIN LATERAL (
    SELECT h.start_time
    FROM reporting.seeder_run_history AS h
    WHERE h.table_name = wanted.table_name AND h.status = 'success' AND h.start_time < wanted.started
    ORDER BY h.start_time DESC
    LIMIT 1
) AS success ON true
LEFT JOIN LATERAL (
    SELECT h.start_time AS since
    FROM reporting.seeder_run_history AS h
    WHERE h.table_name = wanted.table_name AND h.status = 'error' AND h.consecutive_failures > 0
        AND h.start_time > coalesce(success.start_time, '-infinity') AND h.start_time <= wanted.started
    ORDER BY h.start_time
    LIMIT 1
) AS streak ON true;
