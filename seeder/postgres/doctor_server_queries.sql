-- What a server says of itself, of our role and of the reporting tables, one named statement a question. All are read in
-- the catalogs, which no refresh locks.

-- name: begin_read_only
-- Nothing can be changed in it.
BEGIN READ ONLY;

-- name: set_short_timeouts
-- A catalog is locked for long only by who rewrites it.
SELECT set_config('lock_timeout', '1s', true), set_config('statement_timeout', '60s', true);

-- name: server_facts
-- Times in milliseconds; what a server does not know is null.
SELECT
    current_setting('server_version_num')::integer,
    current_setting('server_version'),
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

-- name: missing_table_privileges
-- What our role lacks to use the wanted tables, and the sequences that number their rows; the privileges of each are a
-- list with commas.
SELECT wanted.relname, format('%%I.%%I', n.nspname, c.relname), false, lacking.privilege
FROM unnest(%(tables)s::text[], %(privileges)s::text[]) AS wanted (relname, privileges)
JOIN pg_namespace AS n ON n.nspname = %(schema)s
JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = wanted.relname
CROSS JOIN string_to_table(wanted.privileges, ',') AS lacking (privilege)
WHERE NOT has_table_privilege(c.oid, lacking.privilege)
UNION ALL
SELECT wanted.relname, format('%%I.%%I', sn.nspname, s.relname), true, 'USAGE'
FROM unnest(%(tables)s::text[], %(privileges)s::text[]) AS wanted (relname, privileges)
JOIN pg_namespace AS n ON n.nspname = %(schema)s
JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = wanted.relname
JOIN pg_depend AS d ON d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
    AND d.refobjid = c.oid AND d.deptype = 'a'
JOIN pg_class AS s ON s.oid = d.objid
JOIN pg_namespace AS sn ON sn.oid = s.relnamespace
WHERE wanted.privileges LIKE '%%INSERT%%'
    -- Asked of nothing else, in whatever order the server looks: it would be an error.
    AND CASE WHEN s.relkind = 'S' THEN NOT has_sequence_privilege(s.oid, 'USAGE, UPDATE') ELSE false END
ORDER BY 1, 3, 4;

-- name: statement_statistics_extension
-- Whether pg_stat_statements is preloaded, created here, new enough and readable, its schema as SQL wants it, and what is
-- preloaded, as far as our role may know.
SELECT
    current_setting('pg_stat_statements.max', true) IS NOT NULL,
    e.oid IS NOT NULL,
    EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'total_exec_time' AND NOT attisdropped),
    coalesce(has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'), false),
    quote_ident(n.nspname),
    (SELECT setting FROM pg_settings WHERE name = 'shared_preload_libraries')
FROM (VALUES ('pg_stat_statements')) AS wanted (extname)
LEFT JOIN pg_extension AS e ON e.extname = wanted.extname
LEFT JOIN pg_namespace AS n ON n.oid = e.extnamespace
LEFT JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = wanted.extname;
