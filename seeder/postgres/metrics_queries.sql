-- What programs that watch are told at every scrape. Nothing here may cost more the longer the history is.

-- name: recent_refresh_durations
-- Those that began in the window and have ended, one for each run and name, by how long they took. The bounds are given
-- as what is below nothing, the longest first: so one that took exactly as long as a bound is counted under it.
WITH lately AS (
    SELECT DISTINCT ON (run_id, table_name)
        report_type, status, extract(epoch FROM finish_time - start_time)::double precision AS seconds
    FROM reporting.seeder_run_history
    WHERE start_time > now() - %(window)s::interval AND status IN ('success', 'error')
    ORDER BY run_id, table_name, report_type DESC, manifest_id
)
SELECT
    report_type,
    status,
    cardinality(%(bounds)s::float8[]) - width_bucket(-coalesce(seconds, 0), %(bounds)s::float8[]) AS bucket,
    count(*),
    coalesce(sum(seconds), 0)
FROM lately
GROUP BY 1, 2, 3;

-- name: recent_wait_durations
-- The same by what they waited for, and for how long. With LIMIT each is looked up: else the server may read the whole
-- table for a day's rows.
WITH lately AS (
    SELECT DISTINCT ON (run_id, table_name) id
    FROM reporting.seeder_run_history
    WHERE start_time > now() - %(window)s::interval AND status IN ('success', 'error')
    ORDER BY run_id, table_name, report_type DESC, manifest_id
)
SELECT
    waited.what,
    cardinality(%(bounds)s::float8[]) - width_bucket(-waited.seconds, %(bounds)s::float8[]) AS bucket,
    count(*),
    sum(waited.seconds)
FROM lately
CROSS JOIN LATERAL (SELECT * FROM reporting.seeder_run_metrics WHERE history_id = lately.id LIMIT 1) AS m
CROSS JOIN LATERAL (VALUES
    ('worker', m.worker_wait_seconds), ('throttle', m.throttle_wait_seconds), ('lock', m.lock_wait_seconds)
) AS waited (what, seconds)
WHERE waited.seconds IS NOT NULL
GROUP BY 1, 2;

-- name: recent_failure_reasons
-- Why those failed that did, the most frequent first.
WITH lately AS (
    SELECT DISTINCT ON (run_id, table_name) id
    FROM reporting.seeder_run_history
    WHERE start_time > now() - %(window)s::interval AND status = 'error'
    ORDER BY run_id, table_name, report_type DESC, manifest_id
)
SELECT m.reason, count(*)
FROM lately
LEFT JOIN LATERAL (SELECT reason FROM reporting.seeder_run_metrics WHERE history_id = lately.id LIMIT 1) AS m ON true
GROUP BY 1
ORDER BY 2 DESC, 1;

-- name: last_successes
-- Put behind the parts of jobs.sql that say which views are asked for: when each succeeded last, the longest ago first. A
-- view that did not fail last, and does not run, says so in its status; the others are looked up.
good AS (
    SELECT
        table_name,
        CASE WHEN s.consecutive_failures = 0 AND s.status IN ('success', 'pending') THEN s.start_time ELSE (
            SELECT h.start_time
            FROM reporting.seeder_run_history AS h
            WHERE h.table_name = shown.table_name AND h.status = 'success'
            ORDER BY h.start_time DESC
            LIMIT 1
        ) END AS at
    FROM shown
    LEFT JOIN reporting.seeder_job_status AS s USING (table_name)
)
SELECT table_name, at FROM good ORDER BY at NULLS FIRST, table_name LIMIT %(max_views)s;

-- name: run_activity
-- How many have not ended, and when one last did: among the latest, as no run takes so long that many others begin and end
-- meanwhile.
SELECT
    (SELECT count(*) FROM reporting.seeder_run WHERE finished_at IS NULL),
    (SELECT max(finished_at) FROM (
        SELECT finished_at FROM reporting.seeder_run ORDER BY started_at DESC LIMIT 100
    ) AS latest);

-- name: queue_depth
-- Parts that wait, parts that are worked on, and for how many seconds the first of those that wait has done so.
SELECT
    count(*) FILTER (WHERE state = 'queued'),
    count(*) FILTER (WHERE state = 'running'),
    coalesce(extract(epoch FROM now() - min(requested_at) FILTER (WHERE state = 'queued')), 0)::double precision
FROM reporting.seeder_queued_refresh
WHERE state <> 'ended';

-- name: breaker_states
SELECT database_alias, opened_at IS NOT NULL, failures FROM reporting.seeder_circuit_breaker;
