-- The undo of a load. It holds the lock on the load's row, so that neither another undo nor a new attempt comes between.

-- name: lock_load
SELECT
    l.status, l.target, l.rows_inserted, l.rows_updated, l.rows_deleted, l.undone_at,
    coalesce((
        SELECT (e.facts ->> 'tables')::integer
        FROM load_event AS e
        WHERE e.load_id = l.id AND e.event = 'loaded'
        ORDER BY e.id DESC
        LIMIT 1
    ), 1)
FROM load_log AS l
WHERE l.id = %(load_id)s
FOR UPDATE;

-- name: loads_of_rejects
-- Loads that corrected rejects of this one, and are in their table.
SELECT DISTINCT l.id
FROM load_reject AS r
JOIN load_log AS l ON l.id = r.replayed_by_id AND l.status IN ('success', 'skipped')
WHERE r.load_id = %(load_id)s AND l.id <> r.load_id
ORDER BY l.id DESC;

-- name: copy_changes
-- The previous values that the load has kept.
CREATE TEMPORARY TABLE "data_pipeline.undo_changes" ON COMMIT DROP AS
SELECT id, key, old, deleted FROM load_change WHERE load_id = %(load_id)s;

-- name: changes_kept
SELECT
    count(*) FILTER (WHERE NOT deleted), count(*) FILTER (WHERE deleted),
    bool_and(key <> '{}'::jsonb)
        AND count(DISTINCT key) FILTER (WHERE NOT deleted) = count(*) FILTER (WHERE NOT deleted),
    (SELECT array_agg(name) FROM (SELECT jsonb_object_keys(old) FROM pg_temp."data_pipeline.undo_changes" LIMIT 2000) AS k (name)),
    (SELECT array_agg(name) FROM (SELECT jsonb_object_keys(key) FROM pg_temp."data_pipeline.undo_changes" LIMIT 2000) AS k (name))
FROM pg_temp."data_pipeline.undo_changes";

-- name: written_by
-- The first transaction id of the load, the number of ids up to that of its event, which it wrote last, and the ids of other
-- transactions among them that were open then. Also those of later undos, which have put rows back as they were. Row
-- versions have the lower 32 bits of an id.
SELECT
    mod(first, 4294967296), mod(last - first + 4294967296 * 2, 4294967296),
    ARRAY(SELECT one::bigint FROM jsonb_array_elements_text(facts -> 'other_xids') AS one),
    event = 'loaded'
FROM load_event, mod((facts ->> 'xid')::bigint, 4294967296) AS first, CAST(load_event.xmin::text AS bigint) AS last
WHERE facts ? 'xid' AND (
    id = (SELECT max(id) FROM load_event WHERE load_id = %(load_id)s AND event = 'loaded')
    OR (
        event = 'undone' AND facts ->> 'table' = %(target)s
        AND id > (SELECT max(id) FROM load_event WHERE load_id = %(load_id)s AND event = 'loaded')
    )
);

-- name: later_changes_of_rows
-- Later loads that updated or deleted rows which the load had left, by the load id in their previous values.
SELECT DISTINCT load_id
FROM load_change
WHERE target = %(target)s AND load_id <> %(load_id)s AND old ->> %(column)s = %(load_id)s::text;

-- name: later_changes_of_keys
-- Later loads that changed rows with the same keys.
SELECT DISTINCT c.load_id
FROM load_change AS c
JOIN pg_temp."data_pipeline.undo_changes" AS u ON u.key = c.key
WHERE c.target = %(target)s AND c.load_id <> %(load_id)s AND u.key <> '{}'::jsonb
    AND c.id > (SELECT max(id) FROM pg_temp."data_pipeline.undo_changes");

-- name: loads_in_table
-- Those of some loads that are in their table, the latest first.
SELECT id FROM load_log WHERE id = ANY (%(load_ids)s::bigint[]) AND status IN ('success', 'skipped')
ORDER BY succeeded_at DESC, id DESC;

-- name: mark_undone
WITH undone AS (
    UPDATE load_log SET
        status = 'failed', error_code = 'undone', undone_at = clock_timestamp(), updated_at = clock_timestamp(),
        error_message = format('Undone by %%s. The file can be loaded again.', %(actor)s::text)
    WHERE id = %(load_id)s
    RETURNING id
), audited AS (
    INSERT INTO load_event (load_id, event, actor, facts)
    SELECT
        id, 'undone', %(actor)s::text,
        jsonb_build_object(
            'table', %(target)s::text, 'removed', %(removed)s::bigint, 'restored', %(restored)s::bigint,
            'reinserted', %(reinserted)s::bigint,
            'xid', pg_current_xact_id()::text
        )
    FROM undone
), requested AS (
    INSERT INTO load_refresh (load_id, relations)
    SELECT id, %(relations)s::jsonb FROM undone WHERE %(relations)s::jsonb IS NOT NULL
    ON CONFLICT (load_id) DO UPDATE SET
        relations = excluded.relations, created_at = clock_timestamp(), claimed_at = NULL, dispatched_at = NULL,
        request_id = NULL, views = NULL
), reopened AS (
    UPDATE load_reject SET state = 'open', replayed_by_id = NULL WHERE replayed_by_id = %(load_id)s
)
DELETE FROM load_change WHERE load_id = %(load_id)s;
