-- State, limits and activity of sessions.

-- name: server_time
SELECT clock_timestamp();

-- name: session_state
-- What a run requires of its session. A standby has transaction_read_only on as well.
SELECT
    pg_backend_pid() <> %(connected_pid)s AS is_pooled,
    current_setting('transaction_read_only')::boolean AS is_read_only,
    (SELECT setting::integer FROM pg_settings WHERE name = 'deadlock_timeout') AS deadlock_timeout_ms,
    clock_timestamp() AS now;

-- name: set_lock_wait
-- Limit the wait for an advisory lock, in milliseconds, until `apply_limits` in the same transaction. The server ends the
-- wait if the client is gone.
SELECT
    set_config('lock_timeout', %(lock_wait)s::text, true),
    set_config('statement_timeout', '0', true),
    set_config('application_name', %(application_name)s, true),
    CASE WHEN version() ~ 'linux' THEN set_config('client_connection_check_interval', '2s', true) END,
    clock_timestamp();

-- name: apply_limits
-- Set the limits of a transaction. Timeouts are in milliseconds; parallel_workers null keeps the server's setting. If the
-- client is gone or idle, the server ends the session, so that it does not block readers.
SELECT
    set_config('lock_timeout', %(lock_timeout)s::text, true),
    set_config('statement_timeout', %(statement_timeout)s::text, true),
    CASE WHEN %(parallel_workers)s::text IS NOT NULL
        THEN set_config('max_parallel_workers_per_gather', %(parallel_workers)s, true) END,
    set_config('application_name', %(application_name)s, true),
    set_config('idle_in_transaction_session_timeout', '30s', true),
    CASE WHEN version() ~ 'linux' THEN set_config('client_connection_check_interval', '2s', true) END,
    clock_timestamp();

-- name: set_time_limit
-- Limit each statement, and its wait for locks, until the end of the transaction.
SELECT set_config('statement_timeout', %(timeout)s::text, true), set_config('lock_timeout', %(timeout)s::text, true);

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
-- Sessions that hold a relation or an advisory lock. Locks of readers block only a plain refresh. An ordinary role sees few
-- facts about sessions of other roles.
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
    )
)
ORDER BY a.xact_start, a.pid;
