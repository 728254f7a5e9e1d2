-- Loads as an operator sees them.

-- name: load_summaries
-- Loads, failing and stuck ones first, then the latest first. The failing loads are the open dead letters. `stuck` are the
-- pending loads whose lock is free. The last two columns count all failing and stuck loads, also those beyond the limit.
WITH failing AS MATERIALIZED (
    SELECT load_id AS id FROM load_dead_letter WHERE state = 'open'
), selected AS (
    SELECT l.*, l.id IN (SELECT id FROM failing) AS is_failing, l.id = ANY (%(stuck)s::bigint[]) AS is_stuck
    FROM load_log AS l
    WHERE (%(source)s::text IS NULL OR l.source = %(source)s) AND (%(table)s::text IS NULL OR l.target = %(table)s)
)
SELECT
    id AS load_id, source, status, target AS table, payload_meta ->> 'source_uri' AS source_uri, attempts, created_at,
    updated_at, duration_ms, rows_in, rows_inserted, rows_updated, rows_unchanged, rows_deleted, rows_rejected,
    error_code, error_message, undone_at, processed_by, is_stuck, is_failing,
    (SELECT count(*) FROM selected WHERE is_failing) AS failing, (SELECT count(*) FROM selected WHERE is_stuck) AS stuck
FROM selected
ORDER BY is_failing OR is_stuck DESC, updated_at DESC, load_id DESC
LIMIT %(limit)s;

-- name: late_tables
-- Tables whose last load was before a time.
SELECT target AS table, max(succeeded_at) AS last_success
FROM load_log
WHERE succeeded_at IS NOT NULL AND target IS NOT NULL AND undone_at IS NULL
    AND (%(source)s::text IS NULL OR source = %(source)s) AND (%(table)s::text IS NULL OR target = %(table)s)
GROUP BY target
HAVING max(succeeded_at) < clock_timestamp() - make_interval(hours => %(hours)s)
ORDER BY 2;
