-- What the server is doing.

-- name: active_query_count
-- Of another role's session an ordinary role sees no state, so that it is not counted. An application may call itself
-- as ours do; then it is merely not counted while it waits for a lock.
SELECT count(*)
FROM pg_stat_activity
WHERE backend_type = 'client backend' AND state <> 'idle' AND pid <> pg_backend_pid()
    AND NOT (starts_with(application_name, 'seeder ') AND wait_event_type = 'Lock');

-- name: backend_pid
-- The process that answers.
SELECT pg_backend_pid();

-- name: is_read_only
-- A standby has transaction_read_only on as well.
SELECT current_setting('transaction_read_only')::boolean;

-- name: session_state
-- What a run requires of its session. The deadlock timeout is in milliseconds.
SELECT
    pg_backend_pid(),
    current_setting('transaction_read_only')::boolean,
    (SELECT setting::integer FROM pg_settings WHERE name = 'deadlock_timeout'),
    clock_timestamp();

-- name: can_see_all_sessions
-- Superusers are members of every role.
SELECT pg_has_role('pg_read_all_stats', 'USAGE');
