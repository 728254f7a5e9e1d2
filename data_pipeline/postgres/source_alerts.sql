-- Sources whose last load failed. Undone and dismissed failures need no attention.

-- name: failing_sources
-- The last failure of each source within a week, without a success after it.
SELECT failed.source, failed.id, failed.attempts, failed.error_code
FROM (
    SELECT DISTINCT ON (l.source) l.source, l.id, l.attempts, l.error_code, l.updated_at
    FROM load_log AS l
    WHERE l.status = 'failed' AND l.updated_at > now() - interval '7 days'
        AND l.error_code IS DISTINCT FROM 'undone' AND l.dismissed_at IS NULL
    ORDER BY l.source, l.updated_at DESC
) AS failed
WHERE NOT EXISTS (
    SELECT
    FROM load_log AS l
    WHERE l.source = failed.source AND l.updated_at > failed.updated_at AND l.succeeded_at > failed.updated_at
)
ORDER BY failed.source;

-- name: recovered_sources
-- Of sources whose failure was notified, those with a later success, or without any failure that needs attention.
SELECT notified.source, success.id
FROM unnest(%(sources)s::text[], %(times)s::timestamptz[]) AS notified (source, notified_at)
LEFT JOIN LATERAL (
    SELECT l.id
    FROM load_log AS l
    WHERE l.source = notified.source AND l.updated_at > notified.notified_at AND l.succeeded_at > notified.notified_at
    ORDER BY l.updated_at DESC
    LIMIT 1
) AS success ON true
WHERE success.id IS NOT NULL OR NOT EXISTS (
    SELECT
    FROM load_log AS l
    WHERE l.source = notified.source AND l.status = 'failed'
        AND l.error_code IS DISTINCT FROM 'undone' AND l.dismissed_at IS NULL
);
