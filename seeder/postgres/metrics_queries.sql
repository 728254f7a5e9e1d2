-- Queries of the metrics endpoint. None may cost more the longer the history is.

-- name: recent_refreshes
-- The refreshes in the window, one for each run and view. The next three follow it.
WITH recent AS (
    SELECT DISTINCT ON (run_id, table_name)
        id, report_type, status, extract(epoch FROM finish_time - start_time)::double precision AS seconds
    FROM reporting.seeder_run_history
    WHERE start_time > now() - %(window)s::interval AND status = ANY (%(statuses)s)
    ORDER BY run_id, table_name, report_type DESC, manifest_id
)

-- name: duration_buckets
-- Counts and seconds by bucket. The bounds are negative, so that a duration equal to a bound is counted below it.
SELECT
    report_type,
    status,
    cardinality(%(bounds)s::float8[]) - width_bucket(-coalesce(seconds, 0), %(bounds)s::float8[]) AS bucket,
    count(*),
    coalesce(sum(seconds), 0)
FROM recent
GROUP BY 1, 2, 3;

-- name: wait_buckets
-- The same for waits. LIMIT forces a lookup of each row; otherwise the server may scan the table of metrics.
SELECT
    wait.kind,
    cardinality(%(bounds)s::float8[]) - width_bucket(-wait.seconds, %(bounds)s::float8[]) AS bucket,
    count(*),
    sum(wait.seconds)
FROM recent
CROSS JOIN LATERAL (SELECT * FROM reporting.seeder_run_metrics WHERE history_id = recent.id LIMIT 1) AS m
CROSS JOIN LATERAL (VALUES
    ('worker', m.worker_wait_seconds), ('throttle', m.throttle_wait_seconds), ('lock', m.lock_wait_seconds)
) AS wait (kind, seconds)
WHERE wait.seconds IS NOT NULL
GROUP BY 1, 2;

-- name: reason_counts
SELECT m.reason, count(*)
FROM recent
LEFT JOIN LATERAL (SELECT reason FROM reporting.seeder_run_metrics WHERE history_id = recent.id LIMIT 1) AS m ON true
GROUP BY 1
ORDER BY 2 DESC, 1;

-- name: last_successes
-- After listed_manifests and by_view of job_list_queries.sql. The status row has the last success of a view that neither
-- failed nor runs; for other views the history has it.
success AS (
    SELECT
        table_name,
        CASE WHEN s.consecutive_failures = 0 AND s.status IN ('success', 'pending') THEN s.start_time ELSE (
            SELECT h.start_time
            FROM reporting.seeder_run_history AS h
            WHERE h.table_name = listed.table_name AND h.status = 'success'
            ORDER BY h.start_time DESC
            LIMIT 1
        ) END AS start_time
    FROM listed
    LEFT JOIN reporting.seeder_job_status AS s USING (table_name)
)
SELECT table_name, start_time FROM success ORDER BY start_time NULLS FIRST, table_name LIMIT %(max_views)s;

-- name: queue_depth
SELECT
    count(*) FILTER (WHERE state = 'queued') AS queued,
    count(*) FILTER (WHERE state = 'running') AS running,
    coalesce(extract(epoch FROM now() - min(requested_at) FILTER (WHERE state = 'queued')), 0)::double precision
        AS oldest_wait_seconds
FROM reporting.seeder_queued_refresh
WHERE state IN ('queued', 'running');
