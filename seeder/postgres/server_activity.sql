-- What other sessions of the server do.

-- name: active_query_count
-- An ordinary role sees no state of other roles' sessions, so they are not counted.
SELECT count(*)
FROM pg_stat_activity
WHERE backend_type = 'client backend' AND state <> 'idle' AND pid <> pg_backend_pid()
    AND NOT (starts_with(application_name, 'seeder ') AND wait_event_type = 'Lock');

-- name: can_see_all_sessions
-- Superusers are members of every role.
SELECT pg_has_role('pg_read_all_stats', 'USAGE');

-- name: blocking_sessions
-- Sessions that hold a view, its advisory lock or one of its inputs. Locks of readers block only a plain refresh. An
-- ordinary role sees few facts about sessions of other roles.
WITH RECURSIVE input (relid) AS (
    SELECT unnest(%(inputs)s::oid[])
    UNION
    SELECT i.inhrelid FROM input JOIN pg_inherits AS i ON i.inhparent = input.relid
)
SELECT
    a.pid,
    coalesce(a.usename::text, '') AS role,
    coalesce(a.application_name, '') AS application_name,
    coalesce(a.state, '') AS state,
    clock_timestamp() - a.xact_start AS transaction_age
FROM pg_stat_activity AS a
WHERE a.pid <> pg_backend_pid() AND a.pid IN (
    SELECT l.pid
    FROM pg_locks AS l, hashtextextended(%(key)s::text, 0) AS hash
    WHERE l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND (
        l.locktype = 'advisory' AND l.objsubid = 1
            AND l.classid::bigint = (hash >> 32) & 4294967295 AND l.objid::bigint = hash & 4294967295
        OR l.locktype = 'relation' AND l.relation = to_regclass(format('%%I.%%I', %(schema)s::text, %(name)s::text))
            AND (%(plain)s OR l.mode <> 'AccessShareLock')
        OR l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.relation IN (SELECT relid FROM input)
    )
)
ORDER BY a.xact_start, a.pid;
