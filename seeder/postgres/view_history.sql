-- The history of one manifest in a time range. coalesce() hides a condition from the planner. Otherwise it expects few
-- matching rows, and sorts all rows of a view instead of reading the latest by seeder_run_history_manifest.

-- name: runs_in_range
SELECT
    h.id AS history_id, h.run_id, h.status, h.start_time, h.finish_time, h.records_processed AS rows,
    coalesce(starts_with(h.errors, 'interrupted:'), false) AS is_interrupted
FROM reporting.seeder_run_history AS h
WHERE h.manifest_id = %(manifest_id)s AND h.start_time > now() - %(length)s::interval
    AND coalesce(h.report_type = %(report_type)s AND h.table_name = %(table_name)s, false)
ORDER BY h.start_time DESC
LIMIT %(max_runs)s;

-- name: intervals_in_range
-- The latest runs of each interval, at most max_runs, so that a view that is refreshed every minute costs no more. One more
-- is read to know if there are others.
SELECT
    began AS start_time,
    count(*) FILTER (WHERE position <= %(max_runs)s) AS runs,
    count(*) FILTER (WHERE position <= %(max_runs)s AND status = 'error' AND NOT is_interrupted) AS failed,
    min(duration) AS shortest,
    percentile_disc(0.5) WITHIN GROUP (ORDER BY duration) AS median,
    max(duration) AS longest,
    (array_agg(rows ORDER BY start_time DESC) FILTER (WHERE status = 'success'))[1] AS rows,
    (array_agg(run_id ORDER BY duration DESC NULLS LAST, start_time DESC))[1] AS slowest_run_id,
    bool_or(position > %(max_runs)s) AS has_more
FROM (SELECT now() AS now, %(length)s::interval / %(intervals)s AS step) AS total
CROSS JOIN generate_series(0, %(intervals)s - 1) AS number
CROSS JOIN LATERAL (SELECT total.now - (number + 1) * total.step AS began, total.now - number * total.step AS ended) AS each
CROSS JOIN LATERAL (
    SELECT
        h.run_id, h.status, h.start_time, h.records_processed AS rows,
        coalesce(starts_with(h.errors, 'interrupted:'), false) AS is_interrupted, h.finish_time - h.start_time AS duration,
        row_number() OVER (ORDER BY h.start_time DESC) AS position
    FROM reporting.seeder_run_history AS h
    WHERE h.manifest_id = %(manifest_id)s AND h.start_time > each.began AND h.start_time <= each.ended
        AND coalesce(h.report_type = %(report_type)s AND h.table_name = %(table_name)s, false)
    ORDER BY h.start_time DESC
    LIMIT %(max_runs)s + 1
) AS run
GROUP BY began
ORDER BY began DESC;
