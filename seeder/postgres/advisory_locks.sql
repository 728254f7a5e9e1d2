-- Advisory locks on the hash of a text. pg_locks shows a bigint key as two halves.

-- name: lock
SELECT pg_advisory_xact_lock(hashtextextended(%(key)s::text, 0)), clock_timestamp();

-- name: try_lock
SELECT pg_try_advisory_xact_lock(hashtextextended(%(key)s::text, 0));

-- name: lock_for_session
-- Nothing is locked if this session holds the lock already.
SELECT
    CASE WHEN EXISTS (
        SELECT
        FROM pg_locks AS l
        WHERE l.locktype = 'advisory' AND l.pid = pg_backend_pid() AND l.granted AND l.objsubid = 1
            AND l.classid::bigint = (hash >> 32) & 4294967295 AND l.objid::bigint = hash & 4294967295
    ) THEN '' ELSE pg_advisory_lock(hash)::text END,
    clock_timestamp()
FROM hashtextextended(%(key)s::text, 0) AS hash;

-- name: try_lock_for_session
SELECT pg_try_advisory_lock(hashtextextended(%(key)s::text, 0));

-- name: unlock
-- Without the lock, pg_advisory_unlock() would raise a warning.
SELECT pg_advisory_unlock(hash)
FROM pg_locks AS l, hashtextextended(%(key)s::text, 0) AS hash
WHERE l.locktype = 'advisory' AND l.pid = pg_backend_pid() AND l.granted AND l.objsubid = 1
    AND l.classid::bigint = (hash >> 32) & 4294967295 AND l.objid::bigint = hash & 4294967295;

-- name: held_keys
SELECT key
FROM unnest(%(keys)s::text[]) AS key, hashtextextended(key, 0) AS hash, pg_locks AS l
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND l.classid::bigint = (hash >> 32) & 4294967295 AND l.objid::bigint = hash & 4294967295;
