-- What the catalog knows, one named statement a question. Parameters are psycopg's: %(name)s.

-- name: find_relations
-- Those of the wanted relations that exist, with their rows as far as the statistics know them: whatever measures files
-- would wait for a refresh of the view that is going on.
SELECT n.nspname::text, c.relname::text, c.oid, greatest(c.reltuples, pg_stat_get_live_tuples(c.oid), 0)::bigint
FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS wanted (nspname, relname)
JOIN pg_namespace AS n ON n.nspname = wanted.nspname
JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = wanted.relname;

-- name: relation_exists
-- Whether any relation has that name.
SELECT
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(name)s;

-- name: dependencies
-- Which of the given relations each of them reads, itself or through plain views and functions whose body the server
-- has parsed (BEGIN ATOMIC). The way ends at any other materialized view: what that one reads is not refreshed by
-- refreshing this one.
WITH RECURSIVE way (reader, classid, objid) AS (
    SELECT oid, 'pg_class'::regclass::oid, oid
    FROM unnest(%(oids)s::oid[]) AS given (oid)
    UNION
    SELECT way.reader, step.refclassid, step.refobjid
    FROM way
    JOIN LATERAL (
        SELECT d.refclassid, d.refobjid
        FROM pg_rewrite AS r
        JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
        WHERE way.classid = 'pg_class'::regclass AND r.ev_class = way.objid
            AND (way.objid = way.reader OR EXISTS (SELECT FROM pg_class WHERE oid = way.objid AND relkind = 'v'))
            AND NOT (way.objid <> way.reader AND way.objid = ANY (%(oids)s::oid[]))
        UNION ALL
        SELECT d.refclassid, d.refobjid
        FROM pg_depend AS d
        WHERE way.classid = 'pg_proc'::regclass AND d.classid = 'pg_proc'::regclass AND d.objid = way.objid
    ) AS step ON step.refclassid IN ('pg_class'::regclass, 'pg_proc'::regclass)
)
SELECT DISTINCT reader, objid
FROM way
WHERE classid = 'pg_class'::regclass AND objid = ANY (%(oids)s::oid[]) AND objid <> reader
ORDER BY reader, objid;

-- name: set_minimal_lock_wait
-- For what may as well stay unknown.
SELECT set_config('lock_timeout', '50ms', true);

-- name: compare_with_trials
-- Of each wanted view that is one, its place and whether it was created from something else than the trial of that
-- number. PostgreSQL prints both in one session: another server version or search_path prints the same view differently.
SELECT
    wanted.place - 1,
    pg_get_viewdef(c.oid) IS DISTINCT FROM pg_get_viewdef(format('pg_temp.seeder_trial_%%s', wanted.place - 1)::regclass)
FROM unnest(%(schemas)s::text[], %(names)s::text[]) WITH ORDINALITY AS wanted (nspname, relname, place)
JOIN pg_namespace AS n ON n.nspname = wanted.nspname
JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = wanted.relname AND c.relkind IN ('m', 'v');

-- name: measure_view
-- What a refresh has written in its own transaction so far, and the view's size on disk with its indexes and TOAST.
SELECT pg_stat_get_xact_tuples_inserted(c.oid), pg_total_relation_size(c.oid)
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(name)s;

-- name: server_time
-- The server's time.
SELECT clock_timestamp();

-- name: table_columns
-- The columns of the tables of one schema, or of some of them.
SELECT c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname = %(schema)s AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND (%(tables)s::text[] IS NULL OR c.relname = ANY (%(tables)s))
ORDER BY c.relname, a.attnum;

-- name: column_names
-- The names of all columns of the wanted relations.
SELECT DISTINCT a.attname::text
FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS wanted (nspname, relname)
JOIN pg_namespace AS n ON n.nspname = wanted.nspname
JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = wanted.relname
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped;

-- name: missing_privileges
-- The required privileges that this role lacks on existing tables. USAGE is that of the schema.
SELECT c.relname::text, required.privilege
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN unnest(%(privileges)s::text[]) WITH ORDINALITY AS required (privilege, position)
WHERE n.nspname = %(schema)s AND c.relname = ANY (%(tables)s::text[])
    AND NOT CASE required.privilege
        WHEN 'USAGE' THEN has_schema_privilege(n.oid, 'USAGE')
        ELSE has_table_privilege(c.oid, required.privilege)
    END
ORDER BY c.relname, required.position;

-- name: set_interactive_lock_wait
-- Longer than deadlock_timeout (1 s by default), so that an autovacuum in the way is cancelled, and short for a person.
SELECT set_config('lock_timeout', '3s', true);

-- name: is_populated
-- Whether an existing view can be read; false until it is first filled.
SELECT c.relispopulated
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(name)s;

-- name: cannot_refresh_concurrently
-- As is_usable_unique_index() in PostgreSQL's matview.c has it.
SELECT
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(name)s AND c.relkind = 'm'
    AND (NOT c.relispopulated OR NOT EXISTS (
        SELECT
        FROM pg_index AS i
        WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indimmediate
            AND i.indpred IS NULL AND i.indexprs IS NULL
    ));

-- name: apply_limits
-- Until the end of the transaction: how long to wait for each lock, how long a statement may take, how many parallel
-- workers its parts may have (null: as many as before), whose it is; and that
-- the server ends it when the client has gone (looked at every 2 s, where the platform can) or sits in it idle for 30 s,
-- because nobody should keep readers waiting for somebody who is no more.
SELECT
    set_config('lock_timeout', %(lock_timeout)s::text, true),
    set_config('statement_timeout', %(statement_timeout)s::text, true),
    CASE WHEN %(parallel_workers)s::text IS NOT NULL THEN set_config('max_parallel_workers_per_gather', %(parallel_workers)s, true) END,
    set_config('application_name', %(application_name)s, true),
    set_config('idle_in_transaction_session_timeout', '30s', true),
    CASE WHEN version() ~ 'linux' THEN set_config('client_connection_check_interval', '2s', true) END,
    clock_timestamp();

-- name: has_refresh_privileges
-- Whether this role may read the manifests and write the history, or what is queued, as far as the tables are there.
SELECT coalesce(bool_and(
    has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
    AND CASE WHEN wanted.writes
        THEN has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'UPDATE') ELSE true END
    AND CASE WHEN wanted.number IS NULL THEN true
        ELSE coalesce(has_sequence_privilege(
            pg_get_serial_sequence(format('%%I.%%I', n.nspname, c.relname), wanted.number), 'USAGE'
        ), true) END
), true)
FROM (VALUES
    ('seeder_custom_report_manifest', false, NULL, NULL),
    ('seeder_canned_report', false, NULL, NULL),
    ('seeder_canned_report_manifest', false, NULL, NULL),
    ('seeder_run_history', true, 'id', false),
    ('seeder_job_status', true, NULL, false),
    ('seeder_queued_refresh', true, 'id', true)
) AS wanted (name, writes, number, queued)
JOIN pg_class AS c ON c.relname = wanted.name
JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = %(schema)s
WHERE wanted.queued IS NULL OR wanted.queued = %(queued)s;
