-- State and limits of the own session.

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
