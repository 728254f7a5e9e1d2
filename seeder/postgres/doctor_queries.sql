-- The doctor's queries about the server, seeder's role, the reporting tables and all views of a database at once. They read
-- only catalogs, which no refresh locks. `oids` are those of the relations that view_facts found.

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
    coalesce((SELECT setting::integer FROM pg_settings WHERE name = 'idle_session_timeout'), 0),
    current_setting('max_connections')::integer,
    CASE WHEN r.rolsuper THEN 0
        ELSE current_setting('superuser_reserved_connections')::integer
            + coalesce(current_setting('reserved_connections', true)::integer, 0)
    END,
    r.rolconnlimit,
    (SELECT datconnlimit FROM pg_database WHERE datname = current_database()),
    has_database_privilege(current_database(), 'TEMPORARY')
FROM pg_roles AS r
WHERE r.rolname = current_user;

-- name: unusable_sequences
-- The sequences that number the rows of these tables and that the role may not use.
SELECT c.relname::text, format('%%I.%%I', n.nspname, s.relname)
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_depend AS d ON d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
    AND d.refobjid = c.oid AND d.deptype = 'a'
JOIN pg_sequence AS q ON q.seqrelid = d.objid
JOIN pg_class AS s ON s.oid = q.seqrelid  -- in the schema of the table that owns it
WHERE n.nspname = %(schema)s AND c.relname = ANY (%(tables)s::text[])
    AND NOT has_sequence_privilege(q.seqrelid, 'USAGE, UPDATE')
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

-- name: schema_privileges
SELECT
    wanted.nspname,
    quote_ident(wanted.nspname),
    n.oid IS NOT NULL,
    coalesce(has_schema_privilege(n.oid, 'USAGE'), false),
    coalesce(has_schema_privilege(n.oid, 'CREATE'), false)
FROM unnest(%(names)s::text[]) AS wanted (nspname)
LEFT JOIN pg_namespace AS n ON n.nspname = wanted.nspname
ORDER BY 1;

-- name: unreadable_sources
-- The sources of materialized views that the reading role may not read: view, role, source, privilege to grant. A view
-- reads as its owner, and a plain view in between reads as its own owner, unless it is a security_invoker view. A
-- privilege on the columns is enough, and is all that a role needs that may read other columns only.
WITH RECURSIVE reached (view, relation, role) AS (
    SELECT oid, oid, relowner FROM pg_class WHERE oid = ANY (%(oids)s::oid[]) AND relkind = 'm'
    UNION
    SELECT reached.view, v.oid, CASE WHEN (
        SELECT option_value::boolean FROM pg_options_to_table(v.reloptions) WHERE option_name = 'security_invoker'
    ) THEN reached.role ELSE v.relowner END
    FROM reached
    JOIN pg_rewrite AS r ON r.ev_class = reached.relation AND r.ev_type = '1'
    JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
        AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> reached.relation
    JOIN pg_class AS v ON v.oid = d.refobjid AND v.relkind = 'v'
)
SELECT reached.view, quote_ident(pg_get_userbyid(reached.role)), format('%%I.%%I', n.nspname, s.relname),
    CASE WHEN has_any_column_privilege(reached.role, s.oid, 'SELECT')
        THEN format('SELECT (%%s)', string_agg(DISTINCT quote_ident(a.attname), ', ') FILTER (
            WHERE NOT has_column_privilege(reached.role, s.oid, a.attnum, 'SELECT')
        ))
        ELSE 'SELECT'
    END
FROM reached
JOIN pg_rewrite AS r ON r.ev_class = reached.relation AND r.ev_type = '1'
JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
    AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> reached.relation
JOIN pg_class AS s ON s.oid = d.refobjid AND s.relkind IN ('r', 'p', 'v', 'm', 'f')
JOIN pg_namespace AS n ON n.oid = s.relnamespace
LEFT JOIN pg_attribute AS a ON a.attrelid = s.oid AND a.attnum = d.refobjsubid AND d.refobjsubid > 0
WHERE NOT has_table_privilege(reached.role, s.oid, 'SELECT')
GROUP BY reached.view, reached.role, n.nspname, s.relname, s.oid
HAVING CASE WHEN max(d.refobjsubid) > 0
    THEN bool_or(d.refobjsubid > 0 AND NOT has_column_privilege(reached.role, s.oid, d.refobjsubid::smallint, 'SELECT'))
    ELSE NOT has_any_column_privilege(reached.role, s.oid, 'SELECT')
END
ORDER BY 1, 2, 3;

-- name: materialized_views
-- All materialized views in these schemas.
SELECT schemaname::text, matviewname::text FROM pg_matviews WHERE schemaname = ANY (%(schemas)s::text[]) ORDER BY 1, 2;

-- name: invalid_indexes
-- Of the views and of the reporting tables: relation, index, and if REINDEX CONCURRENTLY left it behind. Excludes indexes
-- that are being built, if the role may see that.
SELECT format('%%I.%%I', n.nspname, c.relname), format('%%I.%%I', xn.nspname, x.relname), x.relname ~ '_cc(new|old)[0-9]*$'
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_class AS x ON x.oid = i.indexrelid
JOIN pg_namespace AS xn ON xn.oid = x.relnamespace
WHERE NOT i.indisvalid AND i.indislive
    AND (c.oid = ANY (%(oids)s::oid[]) OR n.nspname = %(schema)s AND c.relname = ANY (%(tables)s::text[]))
    AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index AS p WHERE p.index_relid = x.oid)
ORDER BY 1, 2;

-- name: null_keys
-- The columns of unique indexes that a concurrent refresh compares, if some of their values are null by the statistics of
-- ANALYZE. The condition on the index is that of view_facts.
SELECT c.oid, string_agg(DISTINCT quote_ident(a.attname), ', ')
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])
JOIN pg_stats AS s ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = a.attname
WHERE c.oid = ANY (%(oids)s::oid[]) AND s.null_frac > 0
    AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
GROUP BY c.oid
ORDER BY c.oid;

-- name: unordered_views
-- The larger views whose query is not ordered by its first column. Reads the parsed query, because printing it locks its
-- tables. The outermost query is last in its text: so are its ORDER BY, and the column with the number that this names.
SELECT v.oid
FROM pg_class AS v
JOIN pg_rewrite AS r ON r.ev_class = v.oid AND r.ev_type = '1'
CROSS JOIN LATERAL (SELECT r.ev_action::text AS query, substring(r.ev_action::text FROM '.*:sortClause (.*)$') AS last) AS t
CROSS JOIN LATERAL (SELECT substring(t.last FROM '^\(\{SORTGROUPCLAUSE :tleSortGroupRef ([0-9]+) ') AS number) AS sorted
WHERE v.oid = ANY (%(oids)s::oid[]) AND greatest(v.reltuples, pg_stat_get_live_tuples(v.oid)) >= %(min_rows)s
    AND substring(t.query FROM '.*:resno ([0-9]+) :resname (?:\\.|[^ \\])+ :ressortgroupref ' || sorted.number || ' ') IS DISTINCT FROM '1'
ORDER BY v.oid;

-- name: functions_without_search_path
-- Functions with a text body and without their own search_path, except for those of extensions.
SELECT
    p.oid, n.nspname::text, p.proname::text,
    format('%%I.%%I(%%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),
    p.prosrc
FROM pg_proc AS p
JOIN pg_namespace AS n ON n.oid = p.pronamespace
JOIN pg_language AS l ON l.oid = p.prolang
WHERE p.prokind = 'f' AND l.lanname NOT IN ('c', 'internal') AND p.prosqlbody IS NULL
    AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM unnest(p.proconfig) AS own (setting) WHERE starts_with(own.setting, 'search_path='))
    AND NOT EXISTS (
        SELECT FROM pg_depend AS d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
    )
ORDER BY p.oid;

-- name: function_signatures
-- The functions, with their schema and the types of their arguments.
SELECT p.oid, format('%%I.%%I(%%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid))
FROM pg_proc AS p
JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE p.oid = ANY (%(oids)s::oid[]);

-- name: schemas_defining
-- The schemas that have a relation, function or type with one of these names, in the order of this session's search_path,
-- then the others. Excludes names that PostgreSQL itself defines.
WITH found (name, schema) AS (
    SELECT relname, relnamespace FROM pg_class
    WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND relname = ANY (%(names)s::text[])
    UNION
    SELECT proname, pronamespace FROM pg_proc WHERE proname = ANY (%(names)s::text[])
    UNION
    SELECT typname, typnamespace FROM pg_type WHERE typrelid = 0 AND typname = ANY (%(names)s::text[])
)
SELECT found.name::text, quote_ident(n.nspname)
FROM found
JOIN pg_namespace AS n ON n.oid = found.schema
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (
        SELECT FROM found AS builtin WHERE builtin.name = found.name AND builtin.schema = 'pg_catalog'::regnamespace
    )
ORDER BY array_position(current_schemas(false), n.nspname), 2, 1;

-- name: unlockable_relations
-- The foreign tables of these relations, and partitioned or inherited tables that this role may not lock. A table without
-- partitions can be locked without a privilege, as `choose_inputs` does.
SELECT c.oid, format('%%I.%%I', n.nspname, c.relname), c.relkind = 'f', quote_ident(current_user)
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.oid = ANY (%(oids)s::oid[])
    AND (c.relkind = 'f' OR c.relkind IN ('r', 'p') AND c.relhassubclass AND NOT has_table_privilege(c.oid, 'SELECT'))
ORDER BY 2;

-- name: event_triggers
-- The enabled event triggers that a command fires, with their functions. Their functions run as the role of the command.
SELECT quote_ident(evtname), evtfoid::regprocedure::text
FROM pg_event_trigger
WHERE evtenabled IN ('O', 'A') AND evtevent IN ('ddl_command_start', 'ddl_command_end')
    AND (evttags IS NULL OR %(tag)s = ANY (evttags))
ORDER BY evtname;
