-- Loads as an operator sees them.

-- name: load_summaries
-- Loads, failing and stuck ones first, then the latest first. A failed load is failing until a later load of the same artefact
-- into the same table has succeeded, or until it is dismissed. `stuck` are the pending loads whose lock is free. The last two
-- columns count all failing and stuck loads, also those beyond the limit.
WITH failed AS MATERIALIZED (
    SELECT id, source, target, created_at, payload_meta ->> 'source_uri' AS source_uri
    FROM load_log
    WHERE status = 'failed' AND error_code IS DISTINCT FROM 'undone' AND dismissed_at IS NULL
), failing AS MATERIALIZED (
    SELECT id, source, target
    FROM failed
    WHERE id NOT IN (
        SELECT f.id
        FROM failed AS f
        JOIN load_log AS later ON later.source = f.source AND later.payload_meta ->> 'source_uri' = f.source_uri
        WHERE later.status IN ('success', 'skipped') AND later.succeeded_at > f.created_at
            AND (later.target = f.target OR f.target IS NULL)
    )
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
