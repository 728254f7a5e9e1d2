-- Which loads of a table a view contains.

-- name: loads_in_views
-- For each view and table: the last committed load that all refreshes on the way contain, and the number of those that not
-- all contain. A load is contained if its transaction is visible in the snapshot of the refresh.
-- Transaction ids begin anew when a dump is restored into another cluster. Then those of the dump are not below the next one
-- of this cluster, or the times differ much: no commit takes an hour. In both cases, times decide. The first one is reported.
-- An undone load is contained in no later refresh, and an undo after a refresh is a newer change. The first refresh misses
-- every load from an hour after it on, so that only the loads around it are compared with each refresh.
WITH next AS (
    SELECT pg_snapshot_xmax(pg_current_snapshot()) AS xid
), behind AS MATERIALIZED (
    SELECT
        r.number, r.target, min(r.taken_at) AS first_taken_at, array_agg(r.taken_at) AS taken_at,
        array_agg(r.snapshot::pg_snapshot) AS snapshots,
        bool_and(coalesce(pg_snapshot_xmax(r.snapshot::pg_snapshot) <= next.xid, false)) AS is_known
    FROM next, unnest(%(numbers)s::integer[], %(targets)s::text[], %(snapshots)s::text[], %(taken_at)s::timestamptz[])
        AS r (number, target, snapshot, taken_at)
    GROUP BY r.number, r.target
), load AS NOT MATERIALIZED (
    SELECT l.id, l.target, l.succeeded_at, l.xid, l.xid < next.xid AS is_known
    FROM next, load_log AS l
    WHERE l.status IN ('success', 'skipped') AND l.succeeded_at IS NOT NULL
        AND coalesce(l.rows_inserted + l.rows_updated + l.rows_deleted, 1) > 0
)
SELECT
    b.number, b.target, last.id, last.succeeded_at, around.loads + newer.loads + undone.loads,
    NOT (b.is_known AND coalesce(last.is_known, true))
FROM behind AS b
LEFT JOIN LATERAL (
    SELECT l.id, l.succeeded_at, l.is_known
    FROM load AS l
    WHERE l.target = b.target AND l.succeeded_at <= b.first_taken_at + interval '1 hour' AND NOT EXISTS ({is_missing})
    ORDER BY l.succeeded_at DESC
    LIMIT 1
) AS last ON true
CROSS JOIN LATERAL (
    SELECT count(*) AS loads
    FROM load AS l
    WHERE l.target = b.target AND l.succeeded_at > b.first_taken_at - interval '1 hour'
        AND l.succeeded_at <= b.first_taken_at + interval '1 hour' AND EXISTS ({is_missing})
) AS around
CROSS JOIN LATERAL (
    SELECT count(*) AS loads
    FROM load AS l
    WHERE l.target = b.target AND l.succeeded_at > b.first_taken_at + interval '1 hour'
) AS newer
CROSS JOIN LATERAL (
    SELECT count(*) AS loads FROM load_log AS l WHERE l.target = b.target AND l.undone_at > b.first_taken_at
) AS undone
WHERE last.id IS NOT NULL OR around.loads + newer.loads + undone.loads > 0
ORDER BY b.number, b.target;

-- name: is_missing
-- A refresh on the way that does not contain the load.
SELECT
FROM unnest(b.taken_at, b.snapshots) AS r (taken_at, snapshot)
WHERE NOT CASE
    WHEN b.is_known AND l.is_known AND l.succeeded_at BETWEEN r.taken_at - interval '1 hour' AND r.taken_at + interval '1 hour'
        THEN pg_visible_in_snapshot(l.xid, r.snapshot)
    ELSE l.succeeded_at < r.taken_at
END
