-- What the run history knows.

-- name: latest_durations
-- How long the latest success of each name took.
SELECT wanted.name, latest.took
FROM unnest(%(names)s::text[]) AS wanted (name)
CROSS JOIN LATERAL (
    SELECT h.finish_time - h.start_time AS took
    FROM reporting.seeder_run_history AS h
    WHERE h.table_name = wanted.name AND h.status = 'success' AND h.finish_time IS NOT NULL
    ORDER BY h.start_time DESC
    LIMIT 1
) AS latest;
