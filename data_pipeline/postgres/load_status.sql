-- Loads as an operator sees them.

-- name: load_states
-- Loads, failing ones first, then the latest first. A failed load is failing until it is undone, or until a later load of the
-- same artefact into the same table has succeeded. `dead` are the pending loads whose lock is free. The last two columns count
-- all failing and stuck loads, also those beyond the limit.
SELECT *, count(*) FILTER (WHERE is_failing) OVER () AS failing, count(*) FILTER (WHERE is_stuck) OVER () AS stuck
FROM (
    SELECT
        l.id AS load_id, l.source, l.status, l.target AS table, l.payload_meta ->> 'source_uri' AS source_uri, l.attempts,
        l.created_at, l.updated_at, l.duration_ms, l.rows_in, l.rows_inserted, l.rows_updated, l.rows_unchanged,
        l.rows_deleted, l.rows_rejected, l.error_code, l.error_message, l.undone_at, l.processed_by,
        l.id = ANY (%(dead)s::bigint[]) AS is_stuck,
        l.status = 'failed' AND l.error_code IS DISTINCT FROM 'undone' AND NOT EXISTS (
            SELECT
            FROM load_log AS later
            WHERE later.source = l.source AND later.status IN ('success', 'skipped')
                AND later.succeeded_at > l.created_at
                AND later.payload_meta ->> 'source_uri' = l.payload_meta ->> 'source_uri'
                AND (later.target = l.target OR l.target IS NULL)
        ) AS is_failing
    FROM load_log AS l
    WHERE (%(source)s::text IS NULL OR l.source = %(source)s) AND (%(table)s::text IS NULL OR l.target = %(table)s)
) AS states
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
