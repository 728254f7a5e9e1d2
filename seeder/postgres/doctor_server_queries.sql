-- The doctor's queries about the server, seeder's role and the reporting tables. They read only catalogs, which no
-- refresh locks.

-- name: set_short_timeouts
-- Only DDL on catalogs themselves locks them for longer.
SELECT set_config('lock_timeout', '1s', true), set_config('statement_timeout', '60s', true);

-- name: server_facts
-- Times in milliseconds. A setting that the server does not have is 0.
SELECT
    current_setting('server_version_num')::integer,
    'PostgreSQL ' || current_setting('server_version'),
    quote_ident(current_user),
    quote_ident(current_database()),
    r.rolsuper,
    pg_is_in_recovery(),
    current_setting('default_transaction_read_only')::boolean,
    (SELECT setting::integer FROM pg_settings WHERE name = 'deadlock_timeout'),
    coalesce((SELECT setting::integer FROM pg_settings WHERE name = 'transaction_timeout'), 0),
    coalesce((SELECT setting::integer FROM pg_settings WHERE name = 'idle_session_timeout'), 0),
    current_setting('max_connections')::integer,
    CASE WHEN r.rolsuper THEN 0
        ELSE current_setting('superuser_reserved_connections')::integer
            + coalesce(current_setting('reserved_connections', true)::integer, 0)
    END,
    r.rolconnlimit,
    (SELECT datconnlimit FROM pg_database WHERE datname = current_database())
FROM pg_roles AS r
WHERE r.rolname = current_user;

-- name: unusable_sequences
-- The sequences that number the rows of these tables and that the role may not use.
SELECT c.relname::text, format('%%I.%%I', sn.nspname, s.relname)
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_depend AS d ON d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
    AND d.refobjid = c.oid AND d.deptype = 'a'
JOIN pg_class AS s ON s.oid = d.objid
JOIN pg_namespace AS sn ON sn.oid = s.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = ANY (%(tables)s::text[])
    -- CASE, because the function raises an error for another kind of relation and conditions have no order.
    AND CASE WHEN s.relkind = 'S' THEN NOT has_sequence_privilege(s.oid, 'USAGE, UPDATE') ELSE false END
ORDER BY 1, 2;

-- name: statement_statistics_extension
-- pg_stat_statements: if it is preloaded, installed on the server, created in this database, at least version 1.8 and
-- readable; its quoted schema; the preloaded libraries, or null if the role may not read that setting.
SELECT
    current_setting('pg_stat_statements.max', true) IS NOT NULL,
    EXISTS (SELECT FROM pg_available_extensions WHERE name = wanted.extname),
    e.oid IS NOT NULL,
    EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'total_exec_time' AND NOT attisdropped),
    coalesce(has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'), false),
    quote_ident(n.nspname),
    (SELECT setting FROM pg_settings WHERE name = 'shared_preload_libraries')
FROM (VALUES ('pg_stat_statements')) AS wanted (extname)
LEFT JOIN pg_extension AS e ON e.extname = wanted.extname
LEFT JOIN pg_namespace AS n ON n.oid = e.extnamespace
LEFT JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = wanted.extname;
