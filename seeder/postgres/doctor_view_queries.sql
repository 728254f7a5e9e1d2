-- What the catalog knows of many views at once, one named statement a question. Wanted views are given by `schemas` and
-- `names`; %I is written as SQL wants a name to be quoted.

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

-- name: view_facts
-- Before PostgreSQL 17 only who has the privileges of its owner may refresh a view. The index is as
-- is_usable_unique_index() in PostgreSQL's matview.c has it.
SELECT
    n.nspname::text,
    c.relname::text,
    format('%%I.%%I', n.nspname, c.relname),
    c.relkind::text,
    c.relispopulated,
    quote_ident(r.rolname),
    r.rolsuper,
    CASE WHEN current_setting('server_version_num')::integer >= 170000
        THEN has_table_privilege(c.oid, 'MAINTAIN')
        ELSE pg_has_role(c.relowner, 'USAGE')
    END,
    has_database_privilege(c.relowner, current_database(), 'TEMPORARY'),
    EXISTS (
        SELECT
        FROM pg_index AS i
        WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indimmediate
            AND i.indpred IS NULL AND i.indexprs IS NULL
    )
FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS wanted (nspname, relname)
JOIN pg_namespace AS n ON n.nspname = wanted.nspname
JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = wanted.relname
JOIN pg_roles AS r ON r.oid = c.relowner
ORDER BY 1, 2;

-- name: unreadable_sources
-- What the wanted materialized views read although the role that they read it as may not: its owner, or that of a plain
-- view in between, unless that reads as whoever asks (security_invoker). A privilege on the columns that are read is enough.
WITH RECURSIVE way (view, relation, role) AS (
    SELECT c.oid, c.oid, c.relowner
    FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS wanted (nspname, relname)
    JOIN pg_namespace AS n ON n.nspname = wanted.nspname
    JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = wanted.relname AND c.relkind = 'm'
    UNION
    SELECT way.view, v.oid, CASE WHEN invoker.reads THEN way.role ELSE v.relowner END
    FROM way
    JOIN pg_rewrite AS r ON r.ev_class = way.relation AND r.ev_type = '1'
    JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
        AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> way.relation
    JOIN pg_class AS v ON v.oid = d.refobjid AND v.relkind = 'v'
    CROSS JOIN LATERAL (
        SELECT coalesce(bool_or(option_value::boolean), false)
        FROM pg_options_to_table(v.reloptions)
        WHERE option_name = 'security_invoker'
    ) AS invoker (reads)
)
SELECT vn.nspname::text, v.relname::text, quote_ident(pg_get_userbyid(way.role)), format('%%I.%%I', sn.nspname, s.relname)
FROM way
JOIN pg_rewrite AS r ON r.ev_class = way.relation AND r.ev_type = '1'
JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
    AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> way.relation
JOIN pg_class AS s ON s.oid = d.refobjid AND s.relkind IN ('r', 'p', 'v', 'm', 'f')
JOIN pg_namespace AS sn ON sn.oid = s.relnamespace
JOIN pg_class AS v ON v.oid = way.view
JOIN pg_namespace AS vn ON vn.oid = v.relnamespace
WHERE NOT has_table_privilege(way.role, s.oid, 'SELECT')
GROUP BY vn.nspname, v.relname, way.role, sn.nspname, s.relname, s.oid
HAVING CASE WHEN max(d.refobjsubid) > 0
    THEN bool_or(d.refobjsubid > 0 AND NOT has_column_privilege(way.role, s.oid, d.refobjsubid::smallint, 'SELECT'))
    ELSE NOT has_any_column_privilege(way.role, s.oid, 'SELECT')
END
ORDER BY 1, 2, 3, 4;

-- name: unlisted_views
-- Materialized views in the schemas of the wanted ones, and in that of the contract, that are not wanted.
SELECT n.nspname::text, c.relname::text
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'm' AND (n.nspname = %(schema)s OR n.nspname = ANY (%(schemas)s::text[]))
    AND NOT EXISTS (
        SELECT
        FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS wanted (nspname, relname)
        WHERE wanted.nspname = n.nspname AND wanted.relname = c.relname
    )
ORDER BY 1, 2;

-- name: invalid_indexes
-- Of the wanted views and of the tables of the contract's schema; not those that are being built, as far as our role may see.
SELECT n.nspname::text, c.relname::text, format('%%I.%%I', xn.nspname, x.relname), x.relname ~ '_cc(new|old)[0-9]*$'
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_class AS x ON x.oid = i.indexrelid
JOIN pg_namespace AS xn ON xn.oid = x.relnamespace
WHERE NOT i.indisvalid AND i.indislive
    AND (
        (n.nspname = %(schema)s AND c.relname = ANY (%(tables)s::text[]))
        OR EXISTS (
            SELECT
            FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS wanted (nspname, relname)
            WHERE wanted.nspname = n.nspname AND wanted.relname = c.relname
        )
    )
    AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index AS p WHERE p.index_relid = x.oid)
ORDER BY 1, 2, 3;

-- name: functions_called
-- The functions that each wanted materialized view calls, also in operators, in plain views and in functions whose body
-- the server has parsed (BEGIN ATOMIC), as far as they are not the server's own.
WITH RECURSIVE way (view, classid, objid) AS (
    SELECT c.oid, 'pg_class'::regclass::oid, c.oid
    FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS wanted (nspname, relname)
    JOIN pg_namespace AS n ON n.nspname = wanted.nspname
    JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = wanted.relname AND c.relkind = 'm'
    UNION
    SELECT way.view, step.refclassid, step.refobjid
    FROM way
    JOIN LATERAL (
        SELECT d.refclassid, d.refobjid
        FROM pg_rewrite AS r
        JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
        WHERE way.classid = 'pg_class'::regclass AND r.ev_class = way.objid
            AND (way.objid = way.view OR EXISTS (SELECT FROM pg_class WHERE oid = way.objid AND relkind = 'v'))
        UNION ALL
        SELECT d.refclassid, d.refobjid
        FROM pg_depend AS d
        WHERE way.classid IN ('pg_proc'::regclass, 'pg_operator'::regclass)
            AND d.classid = way.classid AND d.objid = way.objid
    ) AS step ON step.refclassid IN ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_operator'::regclass)
)
SELECT way.objid, n.nspname::text, c.relname::text
FROM way
JOIN pg_class AS c ON c.oid = way.view
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE way.classid = 'pg_proc'::regclass
ORDER BY 1, 2, 3;

-- name: unparsed_functions
-- The functions whose body is a text and that have no search_path of their own, but for those that extensions brought.
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

-- name: schemas_defining
-- In which schemas relations, functions or types have one of the wanted names, and where those are in our search_path.
WITH found (name, schema) AS (
    SELECT relname, relnamespace FROM pg_class
    WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND relname = ANY (%(names)s::text[])
    UNION
    SELECT proname, pronamespace FROM pg_proc WHERE proname = ANY (%(names)s::text[])
    UNION
    SELECT typname, typnamespace FROM pg_type WHERE typrelid = 0 AND typname = ANY (%(names)s::text[])
)
SELECT found.name::text, quote_ident(n.nspname), array_position(current_schemas(false), n.nspname)
FROM found
JOIN pg_namespace AS n ON n.oid = found.schema
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (
        SELECT FROM found AS builtin WHERE builtin.name = found.name AND builtin.schema = 'pg_catalog'::regnamespace
    )
ORDER BY 1, 3, 2;

-- name: recreate_statements
-- What is lost with a materialized view that is dropped, as statements: its indexes, its owner and who was granted what.
SELECT n.nspname::text, c.relname::text, format('%%I.%%I', n.nspname, c.relname), kept.statements
FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS wanted (nspname, relname)
JOIN pg_namespace AS n ON n.nspname = wanted.nspname
JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = wanted.relname AND c.relkind = 'm'
CROSS JOIN LATERAL (
    SELECT array_agg(statement ORDER BY place, statement)
    FROM (
        SELECT 1, pg_get_indexdef(i.indexrelid) FROM pg_index AS i WHERE i.indrelid = c.oid AND i.indisvalid
        UNION ALL
        SELECT 2, format('ALTER MATERIALIZED VIEW %%I.%%I OWNER TO %%I', n.nspname, c.relname, pg_get_userbyid(c.relowner))
        UNION ALL
        SELECT 3, format(
            'GRANT %%s ON %%I.%%I TO %%s%%s', a.privilege_type, n.nspname, c.relname,
            CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
            CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
        )
        FROM aclexplode(c.relacl) AS a
        WHERE a.grantee <> c.relowner
    ) AS lost (place, statement)
) AS kept (statements);
