-- The refreshes of views with freshness contracts.

-- name: contract_facts
-- The latest state of each view, the start of its last success, the duration of its last refresh (a skipped one has none), and
-- the reason of its latest failure if it is recorded. Reads one or two history rows for each name. coalesce() hides the condition
-- from the planner, which would read the index of all failures for each name.
SELECT
    wanted.name, s.status, coalesce(s.consecutive_failures, 0) AS failures, s.start_time, success.start_time,
    coalesce(success.duration, (
        SELECT h.finish_time - h.start_time
        FROM reporting.seeder_run_history AS h
        WHERE h.table_name = wanted.name AND h.status = 'success' AND h.finish_time IS NOT NULL
            AND h.duration_seconds IS NOT NULL AND success.start_time IS NOT NULL
        ORDER BY h.start_time DESC
        LIMIT 1
    )),
    CASE WHEN s.consecutive_failures > 0 THEN (
        SELECT m.reason
        FROM reporting.seeder_run_history AS h
        JOIN {metrics} AS m ON m.history_id = h.id
        WHERE h.table_name = wanted.name AND coalesce(h.status) = 'error' AND m.reason IS NOT NULL
        ORDER BY h.start_time DESC
        LIMIT 1
    ) END AS reason
FROM unnest(%(names)s::text[]) AS wanted (name)
LEFT JOIN reporting.seeder_job_status AS s ON s.table_name = wanted.name
LEFT JOIN LATERAL (
    SELECT h.start_time, CASE WHEN h.duration_seconds IS NOT NULL THEN h.finish_time - h.start_time END AS duration
    FROM reporting.seeder_run_history AS h
    WHERE h.table_name = wanted.name AND h.status = 'success' AND h.finish_time IS NOT NULL
    ORDER BY h.start_time DESC
    LIMIT 1
) AS success ON true;
