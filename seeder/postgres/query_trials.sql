-- Queries of manifests on trial. The query is that of the temporary view seeder_comparison_0.

-- name: limit_trial
-- Limit each statement and each wait for a lock until the end of the transaction, in milliseconds.
SELECT
    set_config('statement_timeout', %(statement_timeout)s::text, true),
    set_config('lock_timeout', %(lock_timeout)s::text, true),
    quote_ident(current_user);

-- name: forbid_writes
-- PostgreSQL refuses to undo this in the same transaction.
SET TRANSACTION READ ONLY;

-- name: trial_columns
SELECT a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type
FROM pg_attribute AS a
WHERE a.attrelid = 'pg_temp.seeder_comparison_0'::regclass AND a.attnum > 0
ORDER BY a.attnum;

-- name: trial_relations
-- The relations that the query names, and if this role can read a column of each.
SELECT n.nspname::text, c.relname::text, has_any_column_privilege(c.oid, 'SELECT')
FROM pg_rewrite AS r
JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
JOIN pg_class AS c ON c.oid = d.refobjid AND c.oid <> r.ev_class
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE r.ev_class = 'pg_temp.seeder_comparison_0'::regclass
GROUP BY n.nspname, c.relname, c.oid
ORDER BY 1, 2;

-- name: trial_volatile_functions
-- The volatile functions that the query calls, also through operators, aggregates and plain views. pg_depend lacks built-in
-- functions, so they are read from the parsed query.
WITH RECURSIVE views (oid) AS (
    SELECT 'pg_temp.seeder_comparison_0'::regclass::oid
    UNION
    SELECT c.oid
    FROM views
    JOIN pg_rewrite AS r ON r.ev_class = views.oid
    JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
    JOIN pg_class AS c ON c.oid = d.refobjid AND c.relkind = 'v'
)
SELECT DISTINCT p.oid::regprocedure::text
FROM views
JOIN pg_rewrite AS r ON r.ev_class = views.oid
CROSS JOIN LATERAL regexp_matches(r.ev_action::text, ':(?:funcid|opfuncid|aggfnoid|winfnoid|tsmhandler) (\d+)', 'g') AS found
JOIN pg_proc AS p ON p.oid = found[1]::oid
WHERE p.provolatile = 'v'
ORDER BY 1;

-- name: view_unique_indexes
-- The unique indexes of a materialized view, with the columns that they use.
SELECT index_class.relname::text AS name, array_agg(DISTINCT a.attname::text) AS columns
FROM pg_namespace AS n
JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relkind = 'm'
JOIN pg_index AS i ON i.indrelid = c.oid AND i.indisunique
JOIN pg_class AS index_class ON index_class.oid = i.indexrelid
JOIN pg_depend AS d ON d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
    AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
WHERE n.nspname = %(schema)s AND c.relname = %(name)s
GROUP BY index_class.relname
ORDER BY 1;
