-- State and limits of the own session.

-- name: server_time
SELECT clock_timestamp();

-- name: pin_formats
-- How this session prints and reads values. A role, a database or the server can have other settings. These are PostgreSQL's
-- defaults, which Django and psycopg expect as well. DateStyle keeps its order of day and month.
SELECT
    set_config('DateStyle', 'ISO', false),
    set_config('IntervalStyle', 'postgres', false),
    set_config('array_nulls', 'on', false),
    set_config('bytea_output', 'hex', false),
    set_config('extra_float_digits', '1', false),
    set_config('quote_all_identifiers', 'off', false),
    set_config('standard_conforming_strings', 'on', false);

-- name: pin_transactions
-- How transactions of a run's session begin and end. Waits for locks would end in serialization failures in another
-- isolation level. Refreshes have limits of their own. Settings that this version does not have are left out.
SELECT set_config(pinned.name, pinned.value, false)
FROM (VALUES
    ('default_transaction_deferrable', 'off'),
    ('default_transaction_isolation', 'read committed'),
    ('exit_on_error', 'off'),
    ('idle_in_transaction_session_timeout', '30s'),
    ('transaction_timeout', '0')
) AS pinned (name, value)
WHERE current_setting(pinned.name, true) IS NOT NULL;

-- name: session_state
-- What a run requires of its session. A standby has transaction_read_only on as well.
SELECT
    pg_backend_pid() <> %(connected_pid)s AS is_behind_proxy,
    current_setting('transaction_read_only')::boolean AS is_read_only,
    (SELECT setting::integer FROM pg_settings WHERE name = 'deadlock_timeout') AS deadlock_timeout_ms,
    clock_timestamp() AS now;

-- name: session_identity
-- Process and start of the session, and the time. The times are in seconds.
SELECT pg_backend_pid(), extract(epoch FROM backend_start)::float8, extract(epoch FROM clock_timestamp())::float8
FROM pg_stat_get_activity(pg_backend_pid());

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
