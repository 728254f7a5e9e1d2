-- Deletes old rows. Each table is read from its oldest row along an index, a batch at a time, after the last row of the batch
-- before.

-- name: expired_rows_and_last_results
-- The number of history rows that ended before a time, and the ids among them that are the last success or last failure of
-- a report. Reads every row once.
WITH latest AS MATERIALIZED (
    SELECT
        table_name, report_type, manifest_id, status, max(start_time) AS start_time,
        count(*) FILTER (
            WHERE start_time < %(before)s AND coalesce(finish_time, start_time) < %(before)s
        ) AS ended_before
    FROM reporting.seeder_run_history
    WHERE status IN ('success', 'error')
    GROUP BY table_name, report_type, manifest_id, status
)
SELECT
    (SELECT coalesce(sum(ended_before), 0)::bigint FROM latest),
    ARRAY(
        SELECT (
            SELECT max(h.id)
            FROM reporting.seeder_run_history AS h
            WHERE h.table_name = latest.table_name AND h.start_time = latest.start_time AND h.status = latest.status
                AND h.report_type = latest.report_type AND h.manifest_id = latest.manifest_id
                AND coalesce(h.finish_time, h.start_time) < %(before)s
        )
        FROM latest
        WHERE ended_before > 0 AND start_time < %(before)s
    );

-- name: next_history_rows
SELECT id, start_time, status IN ('success', 'error') AND coalesce(finish_time, start_time) < %(before)s
FROM reporting.seeder_run_history
WHERE (start_time, id) > (%(after)s::timestamptz, %(last)s::bigint) AND start_time < %(before)s
ORDER BY start_time, id
LIMIT %(batch_size)s;

-- name: delete_run_metrics
-- The foreign key cascades, but a table of another owner may lack it.
DELETE FROM reporting.seeder_run_metrics WHERE history_id = ANY (%(keys)s::bigint[]);

-- name: delete_check_results
-- As `delete_run_metrics`.
DELETE FROM reporting.seeder_check_result WHERE history_id = ANY (%(keys)s::bigint[]);

-- name: delete_skip_decisions
-- As `delete_run_metrics`.
DELETE FROM reporting.seeder_skip_decision WHERE history_id = ANY (%(keys)s::bigint[]);

-- name: delete_change_samples
-- As `delete_run_metrics`. A request that still waits has no history row.
DELETE FROM reporting.seeder_change_sample WHERE history_id = ANY (%(keys)s::bigint[]);

-- name: delete_history
DELETE FROM reporting.seeder_run_history WHERE id = ANY (%(keys)s::bigint[]) RETURNING 1;

-- name: next_runs
-- A run is old if it ended before the time and has no newer, open or protected row.
SELECT
    r.run_id,
    r.started_at,
    coalesce(r.finished_at < %(before)s, false) AND NOT EXISTS (
        SELECT
        FROM reporting.seeder_run_history AS h
        WHERE h.run_id = r.run_id AND (
            h.id = ANY (%(protected_ids)s::bigint[]) OR h.status NOT IN ('success', 'error')
            OR greatest(h.start_time, h.finish_time) >= %(before)s
        )
    )
FROM reporting.seeder_run AS r
WHERE (r.started_at, r.run_id) > (%(after)s::timestamptz, %(last)s::text) AND r.started_at < %(before)s
ORDER BY r.started_at, r.run_id
LIMIT %(batch_size)s;

-- name: delete_runs
DELETE FROM reporting.seeder_run WHERE run_id = ANY (%(keys)s::text[]) RETURNING 1;

-- name: next_queue_parts
-- A part is old if its entire request ended before the time.
SELECT
    q.id,
    q.finished_at,
    NOT EXISTS (
        SELECT
        FROM reporting.seeder_queued_refresh AS other
        WHERE other.request_id = q.request_id AND (other.state IN ('queued', 'running') OR other.finished_at >= %(before)s)
    )
FROM reporting.seeder_queued_refresh AS q
WHERE q.state IN ('ended', 'cancelled') AND (q.finished_at, q.id) > (%(after)s::timestamptz, %(last)s::bigint)
    AND q.finished_at < %(before)s
ORDER BY q.finished_at, q.id
LIMIT %(batch_size)s;

-- name: delete_queue_parts
DELETE FROM reporting.seeder_queued_refresh WHERE id = ANY (%(keys)s::bigint[]) RETURNING 1;

-- name: next_notifications
-- Also undelivered ones: of a channel that the settings do not have any more. Each refresh has two events of lineage, so
-- those that are delivered are kept for a week.
SELECT id, created_at, true
FROM reporting.seeder_notification
WHERE (created_at, id) > (%(after)s::timestamptz, %(last)s::bigint)
    AND (
        created_at < %(before)s
        OR event = 'lineage' AND state = 'sent' AND created_at < clock_timestamp() - interval '7 days'
    )
ORDER BY created_at, id
LIMIT %(batch_size)s;

-- name: delete_notifications
DELETE FROM reporting.seeder_notification WHERE id = ANY (%(keys)s::bigint[]) RETURNING 1;
