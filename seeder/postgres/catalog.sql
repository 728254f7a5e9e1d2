-- Relations: their columns, privileges and dependencies.

-- name: find_relations
-- OID and estimated rows of the wanted relations that exist. Reading the size of the file would wait for a running refresh.
SELECT n.nspname::text, c.relname::text, c.oid, greatest(c.reltuples, pg_stat_get_live_tuples(c.oid), 0)::bigint
FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS wanted (nspname, relname)
JOIN pg_namespace AS n ON n.nspname = wanted.nspname
JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = wanted.relname;

-- name: relation_state
-- Kind of a relation and whether it is populated. Returns no row if it does not exist.
SELECT c.relkind::text, c.relispopulated
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(name)s;

-- name: view_facts
-- Before PostgreSQL 17, only a role with the privileges of the owner can refresh a view. The condition on the index is
-- that of is_usable_unique_index() in PostgreSQL's matview.c.
SELECT
    n.nspname::text,
    c.relname::text,
    c.oid,
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
    ) AS has_unique_index
FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS wanted (nspname, relname)
JOIN pg_namespace AS n ON n.nspname = wanted.nspname
JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = wanted.relname
JOIN pg_roles AS r ON r.oid = c.relowner
ORDER BY 1, 2;

-- name: view_before_refresh
-- Whether a view exists and this role can count its rows, and the counters of rows that this session inserted and deleted.
-- They include earlier transactions that the session has not published, so only their differences count.
SELECT
    c.oid IS NOT NULL AS exists,
    coalesce(has_any_column_privilege(c.oid, 'SELECT'), true) AS can_count,
    CASE WHEN tracked THEN coalesce(pg_stat_get_xact_tuples_inserted(c.oid), 0) END AS inserted,
    CASE WHEN tracked THEN coalesce(pg_stat_get_xact_tuples_deleted(c.oid), 0) END AS deleted
FROM (SELECT current_setting('track_counts')::boolean) AS setting (tracked)
LEFT JOIN (pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace)
    ON n.nspname = %(schema)s AND c.relname = %(name)s;

-- name: measure_view
-- Rows that this transaction inserted and deleted, null if unknown, and the size on disk with indexes and TOAST.
SELECT
    pg_stat_get_xact_tuples_inserted(c.oid) - %(inserted)s::bigint AS inserted,
    pg_stat_get_xact_tuples_deleted(c.oid) - %(deleted)s::bigint AS deleted,
    pg_total_relation_size(c.oid) AS size_bytes
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(name)s;

-- name: relation_columns
-- The columns of the wanted relations, in order. information_schema omits materialized views.
SELECT c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull
FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS wanted (nspname, relname)
JOIN pg_namespace AS n ON n.nspname = wanted.nspname
JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = wanted.relname
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY c.relname, a.attnum;

-- name: missing_privileges
-- The required privileges that this role lacks on existing tables, and the role. USAGE means USAGE on the tables' schema.
SELECT c.relname::text, required.privilege, quote_ident(current_user)
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN unnest(%(privileges)s::text[]) WITH ORDINALITY AS required (privilege, position)
WHERE n.nspname = %(schema)s AND c.relname = ANY (%(tables)s::text[])
    AND NOT CASE required.privilege
        WHEN 'USAGE' THEN has_schema_privilege(n.oid, 'USAGE')
        ELSE has_table_privilege(c.oid, required.privilege)
    END
ORDER BY c.relname, required.position;

-- name: dependencies
-- The relations and functions that the wanted relations use: directly, through plain views, functions with a parsed body
-- (BEGIN ATOMIC) and their default arguments, aggregates, operators, types, constraints of domains, row security policies,
-- and the wanted relation's indexes, which a refresh builds. A materialized view or another wanted relation ends the path.
-- A function is opaque if its body is text that PostgreSQL does not parse, unless it belongs to an extension. What lies
-- behind a plain view, a function or a policy can change without the wanted relation.
WITH RECURSIVE wanted AS (
    SELECT DISTINCT c.oid, n.nspname, c.relname
    FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS v (nspname, relname)
    JOIN pg_namespace AS n ON n.nspname = v.nspname
    JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = v.relname AND c.relkind = ANY (%(kinds)s::"char"[])
), used (root, classid, objid) AS (
    SELECT oid, 'pg_class'::regclass::oid, oid FROM wanted
    UNION
    SELECT used.root, step.refclassid, step.refobjid
    FROM used
    CROSS JOIN LATERAL (
        SELECT d.refclassid, d.refobjid
        FROM pg_rewrite AS r
        JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
        WHERE used.classid = 'pg_class'::regclass AND r.ev_class = used.objid
            AND (used.objid = used.root OR EXISTS (SELECT FROM pg_class WHERE oid = used.objid AND relkind = 'v')
                AND used.objid NOT IN (SELECT oid FROM wanted))
        UNION ALL
        SELECT d.refclassid, d.refobjid
        FROM pg_depend AS d
        WHERE used.classid IN ('pg_proc'::regclass, 'pg_operator'::regclass, 'pg_type'::regclass)
            AND d.classid = used.classid AND d.objid = used.objid
        UNION ALL
        SELECT d.refclassid, d.refobjid
        FROM pg_constraint AS k
        JOIN pg_depend AS d ON d.classid = 'pg_constraint'::regclass AND d.objid = k.oid
        WHERE used.classid = 'pg_type'::regclass AND k.contypid = used.objid
        UNION ALL
        SELECT d.refclassid, d.refobjid
        FROM pg_type AS t
        JOIN pg_class AS c ON c.oid = t.typrelid AND c.relkind = 'c'
        JOIN pg_depend AS d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid
        WHERE used.classid = 'pg_type'::regclass AND t.oid = used.objid
        UNION ALL
        SELECT d.refclassid, d.refobjid
        FROM pg_index AS i
        JOIN pg_depend AS d ON d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
        WHERE used.classid = 'pg_class'::regclass AND used.objid = used.root AND i.indrelid = used.root
        UNION ALL
        SELECT d.refclassid, d.refobjid
        FROM pg_policy AS p
        JOIN pg_depend AS d ON d.classid = 'pg_policy'::regclass AND d.objid = p.oid
        WHERE used.classid = 'pg_class'::regclass AND p.polrelid = used.objid
    ) AS step
    WHERE step.refclassid IN (
        'pg_class'::regclass, 'pg_proc'::regclass, 'pg_operator'::regclass, 'pg_type'::regclass
    )
)
SELECT
    root.nspname::text, root.relname::text, c.nspname::text, c.relname::text,
    root.oid, c.oid, c.relkind::text,
    coalesce(c.relkind = 'v' OR c.relrowsecurity, l.lanname NOT IN ('c', 'internal')) AS can_change,
    p.oid,
    p.prosqlbody IS NULL AND l.lanname NOT IN ('c', 'internal') AND NOT EXISTS (
        SELECT FROM pg_depend AS d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
    ) AS is_opaque
FROM used
JOIN wanted AS root ON root.oid = used.root
LEFT JOIN LATERAL (
    SELECT c.oid, n.nspname, c.relname, c.relkind, c.relrowsecurity
    FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE used.classid = 'pg_class'::regclass AND c.oid = used.objid
    OFFSET 0
) AS c ON true
LEFT JOIN LATERAL (
    SELECT oid, prolang, prosqlbody FROM pg_proc WHERE used.classid = 'pg_proc'::regclass AND oid = used.objid OFFSET 0
) AS p ON true
LEFT JOIN pg_language AS l ON l.oid = p.prolang
WHERE p.oid IS NOT NULL OR c.oid <> root.oid;
