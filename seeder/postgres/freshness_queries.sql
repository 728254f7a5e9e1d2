-- The refreshes of views with freshness contracts.

-- name: contract_facts
-- The latest state of each view, the start of its last success, the duration of its last refresh (a skipped one has none), and
-- the reason of its latest failure if it is recorded. The status row has the last success of a view that neither failed nor
-- runs, so that the history is read only for other views, and for durations in more than whole seconds if they are required.
-- For coalesce() see latest_results.
SELECT
    wanted.name, s.status, coalesce(s.consecutive_failures, 0) AS failures, s.start_time, known.succeeded, success.start_time,
    CASE WHEN known.succeeded AND s.duration_seconds IS NOT NULL AND NOT %(exact)s THEN make_interval(secs => s.duration_seconds) ELSE (
        SELECT h.finish_time - h.start_time
        FROM reporting.seeder_run_history AS h
        WHERE h.table_name = wanted.name AND h.status = 'success' AND h.finish_time IS NOT NULL
            AND h.duration_seconds IS NOT NULL
        ORDER BY h.start_time DESC
        LIMIT 1
    ) END,
    CASE WHEN s.consecutive_failures > 0 THEN (
        SELECT m.reason
        FROM (
            SELECT h.id
            FROM reporting.seeder_run_history AS h
            WHERE h.table_name = wanted.name AND coalesce(h.status = 'error', false)
            ORDER BY h.start_time DESC
            LIMIT 1
        ) AS latest
        JOIN {metrics} AS m ON m.history_id = latest.id
    ) END AS reason
FROM unnest(%(names)s::text[]) AS wanted (name)
LEFT JOIN reporting.seeder_job_status AS s ON s.table_name = wanted.name
CROSS JOIN LATERAL (
    SELECT coalesce(s.consecutive_failures = 0 AND s.status IN ('success', 'pending'), false) AS succeeded
) AS known
LEFT JOIN LATERAL (
    SELECT h.start_time
    FROM reporting.seeder_run_history AS h
    WHERE NOT known.succeeded AND h.table_name = wanted.name AND h.status = 'success' AND h.finish_time IS NOT NULL
    ORDER BY h.start_time DESC
    LIMIT 1
) AS success ON true;
