-- Old rows of the loading lane. Ages are measured by the database's clock. Locked rows are left for the next time.

-- name: count_prunable
SELECT
    (
        SELECT count(*)
        FROM load_change AS c
        JOIN load_log AS l ON l.id = c.load_id
        WHERE coalesce(l.succeeded_at, l.updated_at) < clock_timestamp() - make_interval(days => %(undo_days)s)
    ),
    (
        SELECT count(*)
        FROM load_reject AS r
        JOIN load_log AS l ON l.id = r.load_id
        WHERE l.updated_at < clock_timestamp() - make_interval(days => %(days)s)
            AND r.state <> 'open' AND l.status <> 'failed' AND %(days)s > 0
    ),
    (
        SELECT count(*)
        FROM load_log
        WHERE status = 'failed' AND updated_at < clock_timestamp() - make_interval(days => %(days)s) AND %(days)s > 0
            AND NOT EXISTS (
                SELECT FROM load_dead_letter AS d
                WHERE d.load_id = load_log.id AND d.source = %(silver)s AND d.state <> 'resolved'
            )
    ),
    (
        SELECT count(*)
        FROM load_request
        WHERE state = 'ended' AND finished_at < clock_timestamp() - make_interval(days => %(days)s) AND %(days)s > 0
    );

-- name: prune_changes
DELETE FROM load_change
WHERE id IN (
    SELECT c.id
    FROM load_change AS c
    JOIN load_log AS l ON l.id = c.load_id
    WHERE coalesce(l.succeeded_at, l.updated_at) < clock_timestamp() - make_interval(days => %(undo_days)s)
    ORDER BY c.id
    LIMIT %(batch)s
    FOR UPDATE OF c, l SKIP LOCKED
)
RETURNING 1;

-- name: prune_rejects
-- Replayed and dismissed rejects of loads that are kept.
DELETE FROM load_reject
WHERE id IN (
    SELECT r.id
    FROM load_reject AS r
    JOIN load_log AS l ON l.id = r.load_id
    WHERE l.updated_at < clock_timestamp() - make_interval(days => %(days)s)
        AND r.state <> 'open' AND l.status <> 'failed'
    ORDER BY r.id
    LIMIT %(batch)s
    FOR UPDATE OF r SKIP LOCKED
)
RETURNING 1;

-- name: prune_requests
DELETE FROM load_request
WHERE id IN (
    SELECT id
    FROM load_request
    WHERE state = 'ended' AND finished_at < clock_timestamp() - make_interval(days => %(days)s)
    ORDER BY id
    LIMIT %(batch)s
    FOR UPDATE SKIP LOCKED
)
RETURNING 1;

-- name: prune_failed_loads
-- Failed loads with everything that belongs to them. Failures of objects stay until they are resolved, because the next run
-- would try them anew. The foreign keys are checked at the commit.
WITH old AS (
    SELECT id
    FROM load_log
    WHERE status = 'failed' AND updated_at < clock_timestamp() - make_interval(days => %(days)s)
        AND NOT EXISTS (
            SELECT FROM load_dead_letter AS d
            WHERE d.load_id = load_log.id AND d.source = %(silver)s AND d.state <> 'resolved'
        )
    ORDER BY id
    LIMIT %(batch)s
    FOR UPDATE SKIP LOCKED
), changes AS (
    DELETE FROM load_change USING old WHERE load_id = old.id
), rejects AS (
    DELETE FROM load_reject USING old WHERE load_id = old.id
), replayed AS (
    UPDATE load_reject SET replayed_by_id = NULL
    FROM old
    WHERE replayed_by_id = old.id AND load_id NOT IN (SELECT id FROM old)
), refreshes AS (
    DELETE FROM load_refresh USING old WHERE load_id = old.id
), requests AS (
    UPDATE load_request SET load_id = NULL FROM old WHERE load_id = old.id
)
DELETE FROM load_log USING old WHERE load_log.id = old.id
RETURNING 1;

-- name: is_upload_needed
-- Whether an unfinished request or a pending load needs an upload, or one has used it in the last days. 0 days: any has.
SELECT EXISTS (
    SELECT
    FROM load_request
    WHERE md5(source_uri) = md5(%(uri)s) AND source_uri = %(uri)s
        AND (state <> 'ended' OR %(days)s = 0 OR finished_at > clock_timestamp() - make_interval(days => %(days)s))
) OR EXISTS (
    SELECT
    FROM load_log
    WHERE md5(payload_meta ->> 'source_uri') = md5(%(uri)s) AND payload_meta ->> 'source_uri' = %(uri)s
        AND (status = 'pending' OR %(days)s = 0 OR updated_at > clock_timestamp() - make_interval(days => %(days)s))
);
