-- Claims and outcomes of loads. A session advisory lock on the source and the key proves that a pending load is alive.

-- name: read_committed
-- A later statement of the same message sees what others commit while it waits. The default of the role can be another level.
SET TRANSACTION ISOLATION LEVEL READ COMMITTED;

-- name: claim_load
-- Lock the key for this session, and insert or take over its row, in one statement. Returns no row if another session has
-- the lock and the load has not succeeded. Of a load that succeeded before, the lock is not needed, and released again.
-- The row lock makes others wait for the commit. From now on, rows of tracked tables get the id of the load by default.
WITH lock AS MATERIALIZED (
    SELECT pg_try_advisory_lock(hashtextextended(%(lock_key)s::text, 0)) AS is_acquired
), claimed AS (
    INSERT INTO load_log AS l (source, idempotency_key, status, payload_meta, processed_by, task_id)
    SELECT
        %(source)s::text, %(idempotency_key)s::text, 'pending', %(payload_meta)s::jsonb, %(processed_by)s::text,
        %(task_id)s::text
    FROM lock
    WHERE is_acquired OR EXISTS (
        SELECT
        FROM load_log
        WHERE source = %(source)s::text AND idempotency_key = %(idempotency_key)s::text
            AND status IN ('success', 'skipped')
    )
    ON CONFLICT (source, idempotency_key) DO UPDATE SET
        status = CASE WHEN l.status IN ('success', 'skipped') THEN 'skipped' ELSE 'pending' END,
        attempts = l.attempts + CASE WHEN l.status IN ('success', 'skipped') THEN 0 ELSE 1 END,
        payload_meta = CASE
            WHEN l.status NOT IN ('success', 'skipped') THEN excluded.payload_meta
            WHEN %(update_meta)s::boolean THEN l.payload_meta || excluded.payload_meta
            ELSE l.payload_meta
        END,
        processed_by = CASE WHEN l.status IN ('success', 'skipped') THEN l.processed_by ELSE excluded.processed_by END,
        task_id = CASE WHEN l.status IN ('success', 'skipped') THEN l.task_id ELSE excluded.task_id END,
        error_message = NULL, error_code = NULL, dismissed_at = NULL,
        updated_at = clock_timestamp()
    WHERE l.status IN ('success', 'skipped') OR (SELECT is_acquired FROM lock)
    RETURNING l.id, l.status, l.attempts
), audited AS (
    INSERT INTO load_event (load_id, event, actor, facts)
    SELECT
        id,
        CASE WHEN status = 'skipped' THEN 'skipped' WHEN attempts > 1 THEN 'attempted' ELSE 'claimed' END,
        %(processed_by)s::text,
        jsonb_build_object('source', %(source)s::text, 'attempt', attempts)
    FROM claimed
)
SELECT
    id, status, attempts, pg_backend_pid(),
    CASE
        WHEN status <> 'skipped' THEN set_config('data_pipeline.load_id', id::text, false)
        WHEN is_acquired THEN pg_advisory_unlock(hashtextextended(%(lock_key)s::text, 0))::text
    END
FROM claimed, lock;

-- name: complete_load
-- Mark the load as successful in the transaction of its rows, and release the lock: until the commit, the lock on the row
-- makes other sessions wait. If the client is gone before it commits, the server ends the transaction.
-- Other transactions that have begun meanwhile can still change rows of the load: an undo recognises them by their ids.
WITH completed AS (
    UPDATE load_log SET
        status = 'success', duration_ms = %(duration_ms)s::integer, updated_at = clock_timestamp(),
        succeeded_at = clock_timestamp(), xid = pg_current_xact_id(), undone_at = NULL,
        payload_meta = payload_meta || %(payload_meta)s::jsonb, target = %(target)s::text, rows_in = %(rows_in)s::bigint,
        rows_inserted = %(rows_inserted)s::bigint, rows_updated = %(rows_updated)s::bigint,
        rows_unchanged = %(rows_unchanged)s::bigint, rows_deleted = %(rows_deleted)s::bigint,
        rows_rejected = %(rows_rejected)s::bigint, content_blake2b = %(content_blake2b)s::text
    WHERE id = %(load_id)s AND status = 'pending' AND attempts = %(attempts)s
    RETURNING id, source
), audited AS (
    INSERT INTO load_event (load_id, event, actor, facts)
    SELECT
        id, 'loaded', %(processed_by)s::text,
        jsonb_strip_nulls(jsonb_build_object(
            'source', source, 'duration_ms', %(duration_ms)s::integer, 'records', %(rows_in)s::bigint,
            'normalized', %(payload_meta)s::jsonb -> 'rows_normalized',
            'normalize_errors', %(payload_meta)s::jsonb -> 'normalize_errors',
            'inserted', %(rows_inserted)s::bigint, 'updated', %(rows_updated)s::bigint,
            'unchanged', %(rows_unchanged)s::bigint, 'deleted', %(rows_deleted)s::bigint,
            'rejected', %(rows_rejected)s::bigint,
            'tables', jsonb_array_length(%(relations)s::jsonb), 'xid', pg_current_xact_id()::text,
            'other_xids', CASE WHEN %(target)s::text IS NOT NULL THEN (
                SELECT jsonb_agg(l.transactionid::text::bigint)
                FROM pg_locks AS l
                WHERE l.locktype = 'transactionid' AND l.granted AND l.pid IS DISTINCT FROM pg_backend_pid()
                    AND l.mode = 'ExclusiveLock' AND mod(
                        l.transactionid::text::bigint - mod(pg_current_xact_id()::text::bigint, 4294967296) + 4294967296,
                        4294967296
                    ) < 2147483648 AND completed.id IS NOT NULL
            ) END
        ))
    FROM completed
), requested AS (
    INSERT INTO load_refresh (load_id, relations)
    SELECT id, %(relations)s::jsonb FROM completed WHERE %(relations)s::jsonb IS NOT NULL
    ON CONFLICT (load_id) DO UPDATE SET
        relations = excluded.relations, created_at = clock_timestamp(), claimed_at = NULL, dispatched_at = NULL,
        request_id = NULL, views = NULL
)
SELECT
    id, pg_advisory_unlock(hashtextextended(%(lock_key)s::text, 0)),
    set_config('data_pipeline.load_id', '', false), set_config('idle_in_transaction_session_timeout', '30s', true)
FROM completed;

-- name: fail_load
-- Close a load after its transaction was rolled back, unless it was taken over.
WITH failed AS (
    UPDATE load_log SET
        status = 'failed', duration_ms = %(duration_ms)s::integer, updated_at = clock_timestamp(),
        error_message = %(error_message)s::text, error_code = %(error_code)s::text,
        target = coalesce(%(target)s::text, target), rows_in = %(rows_in)s::bigint,
        rows_inserted = NULL, rows_updated = NULL, rows_unchanged = NULL, rows_deleted = NULL,
        rows_rejected = %(rows_rejected)s::bigint, payload_meta = payload_meta || %(payload_meta)s::jsonb
    WHERE id = %(load_id)s AND status = 'pending' AND attempts = %(attempts)s
    RETURNING id, source
), audited AS (
    INSERT INTO load_event (load_id, event, actor, facts)
    SELECT
        id, 'failed', %(processed_by)s::text,
        jsonb_strip_nulls(jsonb_build_object(
            'source', source, 'duration_ms', %(duration_ms)s::integer,
            'error', %(error_message)s::text, 'code', %(error_code)s::text,
            'normalize_errors', %(payload_meta)s::jsonb -> 'normalize_errors'
        ))
    FROM failed
)
SELECT id FROM failed;

-- name: forget_load
-- A rollback restores the id of the load.
SELECT set_config('data_pipeline.load_id', '', false);

-- name: settled_load
-- Status and attempts of a load whose commit was not answered. Waits while its transaction is still being committed.
SELECT status, attempts FROM load_log WHERE id = %(load_id)s FOR UPDATE;

-- name: load_worker
SELECT status, processed_by FROM load_log WHERE source = %(source)s AND idempotency_key = %(idempotency_key)s;

-- name: has_loads
SELECT to_regclass('load_log') IS NOT NULL AND to_regclass('load_refresh') IS NOT NULL AND NOT pg_is_in_recovery();

-- name: stuck_loads
-- Pending loads whose lock no session has: their process or its connection has ended.
SELECT l.id, l.source, l.attempts
FROM load_log AS l, hashtextextended(%(prefix)s::text || l.source || ' ' || l.idempotency_key, 0) AS hash
WHERE l.status = 'pending' AND NOT EXISTS (
    SELECT
    FROM pg_locks AS k
    WHERE k.locktype = 'advisory' AND k.granted AND k.objsubid = 1
        AND k.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND k.classid::bigint = (hash >> 32) & 4294967295 AND k.objid::bigint = hash & 4294967295
)
ORDER BY l.id;

-- name: interrupt_load
-- Close a stuck load. A load that completes meanwhile is not pending any more when its row lock is free.
WITH interrupted AS (
    UPDATE load_log SET
        status = 'failed', error_code = 'interrupted', updated_at = clock_timestamp(),
        error_message = 'The process or its connection ended during the load, and nothing of it remains.'
    WHERE id = %(load_id)s AND status = 'pending' AND attempts = %(attempts)s
        AND pg_try_advisory_xact_lock(hashtextextended(%(prefix)s::text || source || ' ' || idempotency_key, 0))
    RETURNING id, source
), audited AS (
    INSERT INTO load_event (load_id, event, actor, facts)
    SELECT id, 'interrupted', %(actor)s::text, jsonb_build_object('source', source) FROM interrupted
)
SELECT id FROM interrupted;
