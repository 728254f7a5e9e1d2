-- Advisory locks, each on the hash of what it stands for. Two that share a hash would merely wait for each other.

-- name: set_lock_wait
-- Until the limits of the same transaction: for how many milliseconds to wait for another run, and whose it is; the
-- server ends the wait when the client has gone. When that was.
SELECT
    set_config('lock_timeout', %(lock_wait)s::text, true),
    set_config('statement_timeout', '0', true),
    set_config('application_name', %(application_name)s, true),
    CASE WHEN version() ~ 'linux' THEN set_config('client_connection_check_interval', '2s', true) END,
    clock_timestamp();

-- name: lock_view
-- Wait for the view, and keep it until the end of the transaction; when we got it.
SELECT
    pg_advisory_xact_lock(hashtextextended(format('seeder.view %%I.%%I', %(schema)s::text, %(name)s::text), 0)),
    clock_timestamp();

-- name: blocking_sessions
-- Who holds the view, or the right to refresh it, and since when its transaction has been open. A lock for reading is in
-- nobody's way but a plain refresh's. Of other roles an ordinary one sees little.
SELECT
    a.pid,
    coalesce(a.usename::text, ''),
    coalesce(a.application_name, ''),
    coalesce(a.state, ''),
    extract(epoch FROM clock_timestamp() - a.xact_start)::double precision
FROM pg_stat_activity AS a
WHERE a.pid <> pg_backend_pid() AND a.pid IN (
    SELECT l.pid
    FROM pg_locks AS l,
        hashtextextended(format('seeder.view %%I.%%I', %(schema)s::text, %(name)s::text), 0) AS key
    WHERE l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND (
        l.locktype = 'advisory' AND l.objsubid = 1
            AND l.classid::bigint = (key >> 32) & 4294967295 AND l.objid::bigint = key & 4294967295
        OR l.locktype = 'relation' AND l.relation = to_regclass(format('%%I.%%I', %(schema)s::text, %(name)s::text))
            AND (%(plain)s OR l.mode <> 'AccessShareLock')
    )
)
ORDER BY a.xact_start, a.pid;

-- name: try_lock_view
-- Take the view until the end of the transaction, if nobody has it.
SELECT pg_try_advisory_xact_lock(hashtextextended(format('seeder.view %%I.%%I', %(schema)s::text, %(name)s::text), 0));

-- name: lock_run
-- Hold the run's lock until the end of the session.
SELECT pg_advisory_lock(hashtextextended('seeder.run ' || %(run)s::text, 0)), clock_timestamp();

-- name: holds_run_lock
-- Whether this session holds it. A bigint key stands in pg_locks as its two halves.
SELECT
FROM pg_locks AS l, hashtextextended('seeder.run ' || %(run)s::text, 0) AS key
WHERE l.locktype = 'advisory' AND l.pid = pg_backend_pid() AND l.granted AND l.objsubid = 1
    AND l.classid::bigint = (key >> 32) & 4294967295 AND l.objid::bigint = key & 4294967295;

-- name: unlock_run
-- Release the run's lock once, if this session holds it.
SELECT pg_advisory_unlock(key)
FROM pg_locks AS l, hashtextextended('seeder.run ' || %(run)s::text, 0) AS key
WHERE l.locktype = 'advisory' AND l.pid = pg_backend_pid() AND l.granted AND l.objsubid = 1
    AND l.classid::bigint = (key >> 32) & 4294967295 AND l.objid::bigint = key & 4294967295;

-- name: try_lock_dead_run
-- Take the run's lock until the end of the transaction, if nobody has it.
SELECT pg_try_advisory_xact_lock(hashtextextended('seeder.run ' || %(run)s::text, 0));

-- name: lock_install
-- Wait until nobody else installs the contract, and keep others from it until the end of the transaction.
SELECT pg_advisory_xact_lock(hashtextextended('seeder.install', 0));

-- name: lock_enqueue
-- Wait until nobody else queues anything, and keep others from it until the end of the transaction.
SELECT pg_advisory_xact_lock(hashtextextended('seeder.queue', 0));

-- name: lock_prune
-- Wait until nobody else deletes, and keep others from it until the end of the transaction.
SELECT pg_advisory_xact_lock(hashtextextended('seeder.prune', 0));

-- name: runs_holding_lock
-- Which of these runs hold their lock, without trying to take it.
SELECT run
FROM unnest(%(runs)s::text[]) AS run
CROSS JOIN LATERAL hashtextextended('seeder.run ' || run, 0) AS key
WHERE EXISTS (
    SELECT
    FROM pg_locks AS l
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND l.classid::bigint = (key >> 32) & 4294967295 AND l.objid::bigint = key & 4294967295
);
