-- Locks on the tables that a view reads.
--
-- REFRESH takes its snapshot before it waits for a table. TRUNCATE and rewriting ALTER TABLE are not MVCC-safe
-- (PostgreSQL's manual, "Caveats" of concurrency control), so a refresh that waits for one of them would then see an empty
-- table. LOCK TABLE takes no snapshot: a statement after it sees what the other transaction committed.

-- name: inputs_locked
-- The time, and the transactions whose rows the refresh sees. It takes its own snapshot later, so it can see more, but never
-- less. A refresh that then waits for a lock on its view has taken its snapshot before the wait.
SELECT clock_timestamp(), pg_current_snapshot()::text;

-- name: choose_inputs
-- Set the tables to lock: those that exist and that this role may lock. If there are others, lock what the views read by
-- printing them, which needs no privilege but omits partitions.
SELECT
    set_config('seeder.inputs', coalesce(array_agg(input ORDER BY input) FILTER (WHERE may_lock), '{}')::text, true),
    CASE WHEN NOT bool_and(may_lock)
        THEN (SELECT count(pg_get_viewdef(view)) FROM unnest(%(input_views)s::oid[]) AS view) END,
    clock_timestamp()
FROM (
    SELECT input::regclass, has_table_privilege(input, 'SELECT') AS may_lock FROM unnest(%(inputs)s::oid[]) AS input
) AS existing
WHERE may_lock IS NOT NULL;

-- name: lock_inputs
-- Lock the chosen tables together, without waiting. If one is locked, wait for each table and partition alone, and try
-- again until lock_timeout. A transaction that waits while it holds no other input cannot deadlock with a loader.
DO LANGUAGE plpgsql $seeder$
DECLARE
    inputs regclass[] := current_setting('seeder.inputs');
    deadline timestamptz := clock_timestamp() + nullif(current_setting('lock_timeout'), '0')::interval;
    input regclass;
BEGIN
    WHILE inputs <> '{}' LOOP
        BEGIN
            EXECUTE format('LOCK TABLE %%s IN ACCESS SHARE MODE NOWAIT', array_to_string(inputs, ', '));
            RETURN;
        EXCEPTION WHEN lock_not_available OR undefined_table THEN
            IF clock_timestamp() >= deadline THEN
                RAISE;
            END IF;
        END;
        FOR input IN
            WITH RECURSIVE tree (relid) AS (
                SELECT unnest(inputs)::oid
                UNION
                SELECT i.inhrelid FROM tree JOIN pg_inherits AS i ON i.inhparent = tree.relid
            )
            SELECT relid FROM tree WHERE has_table_privilege(relid, 'SELECT')
        LOOP
            CONTINUE WHEN NOT EXISTS (SELECT FROM pg_class WHERE oid = input);  -- it was dropped meanwhile
            BEGIN
                EXECUTE format('LOCK TABLE ONLY %%s IN ACCESS SHARE MODE', input);
                RAISE SQLSTATE 'SEEDR';
            EXCEPTION WHEN SQLSTATE 'SEEDR' OR undefined_table THEN
                NULL;  -- the block is rolled back, so the lock is released
            END;
        END LOOP;
        inputs := ARRAY(SELECT oid FROM pg_class WHERE oid = ANY (inputs));
        PERFORM pg_sleep(0.01);
    END LOOP;
END $seeder$;
