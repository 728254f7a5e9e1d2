-- Which materialized views a change of some tables affects.

-- name: dependent_views
-- The given materialized views that read a changed relation: directly, through plain views, through each other, through
-- functions whose body the server has parsed (BEGIN ATOMIC), operators and row security policies. A change of a
-- partition is a change of its parents, and a change of a parent one of its partitions. A materialized view that is not
-- given ends the path: nothing refreshes it, so nothing changes behind it.
WITH RECURSIVE given AS (
    SELECT c.oid
    FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS v (nspname, relname)
    JOIN pg_namespace AS n ON n.nspname = v.nspname
    JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = v.relname AND c.relkind = 'm'
), changed AS (
    SELECT c.oid
    FROM unnest(%(changed_schemas)s::text[], %(changed_names)s::text[]) AS v (nspname, relname)
    JOIN pg_namespace AS n ON n.nspname = v.nspname
    JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = v.relname
), ancestors AS (
    SELECT oid FROM changed
    UNION
    SELECT i.inhparent FROM ancestors AS a JOIN pg_inherits AS i ON i.inhrelid = a.oid
), descendants AS (
    SELECT oid FROM changed
    UNION
    SELECT i.inhrelid FROM descendants AS d JOIN pg_inherits AS i ON i.inhparent = d.oid
), affected (classid, objid) AS (
    SELECT 'pg_class'::regclass::oid, oid FROM (TABLE ancestors UNION TABLE descendants) AS lineage
    UNION
    SELECT step.classid, step.objid
    FROM affected AS a
    JOIN LATERAL (
        SELECT 'pg_class'::regclass::oid AS classid, c.oid AS objid
        FROM pg_depend AS d
        JOIN pg_rewrite AS r ON r.oid = d.objid
        JOIN pg_class AS c ON c.oid = r.ev_class
        WHERE d.refclassid = a.classid AND d.refobjid = a.objid AND d.classid = 'pg_rewrite'::regclass
            AND (c.relkind = 'v' OR EXISTS (SELECT FROM given WHERE given.oid = c.oid))
        UNION ALL
        SELECT d.classid, d.objid
        FROM pg_depend AS d
        WHERE d.refclassid = a.classid AND d.refobjid = a.objid
            AND d.classid IN ('pg_proc'::regclass, 'pg_operator'::regclass)
        UNION ALL
        SELECT 'pg_class'::regclass::oid, p.polrelid
        FROM pg_depend AS d
        JOIN pg_policy AS p ON p.oid = d.objid
        WHERE d.refclassid = a.classid AND d.refobjid = a.objid AND d.classid = 'pg_policy'::regclass
    ) AS step ON true
)
SELECT n.nspname::text, c.relname::text
FROM affected AS a
JOIN given ON given.oid = a.objid
JOIN pg_class AS c ON c.oid = given.oid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE a.classid = 'pg_class'::regclass
ORDER BY 1, 2;

-- name: views_calling_opaque_functions
-- The given materialized views that call a function with a text body, with its OID: also in operators, plain views,
-- policies and parsed bodies. The server does not parse a text, so what it reads is unknown. Functions of extensions read
-- no tables of this database.
WITH RECURSIVE path (view, classid, objid) AS (
    SELECT c.oid, 'pg_class'::regclass::oid, c.oid
    FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS v (nspname, relname)
    JOIN pg_namespace AS n ON n.nspname = v.nspname
    JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = v.relname AND c.relkind = 'm'
    UNION
    SELECT path.view, step.refclassid, step.refobjid
    FROM path
    JOIN LATERAL (
        SELECT d.refclassid, d.refobjid
        FROM pg_rewrite AS r
        JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
        WHERE path.classid = 'pg_class'::regclass AND r.ev_class = path.objid
            AND (path.objid = path.view OR EXISTS (SELECT FROM pg_class WHERE oid = path.objid AND relkind = 'v'))
        UNION ALL
        SELECT d.refclassid, d.refobjid
        FROM pg_depend AS d
        WHERE path.classid IN ('pg_proc'::regclass, 'pg_operator'::regclass)
            AND d.classid = path.classid AND d.objid = path.objid
        UNION ALL
        SELECT d.refclassid, d.refobjid
        FROM pg_policy AS p
        JOIN pg_depend AS d ON d.classid = 'pg_policy'::regclass AND d.objid = p.oid
        WHERE path.classid = 'pg_class'::regclass AND p.polrelid = path.objid
    ) AS step ON step.refclassid IN ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_operator'::regclass)
)
SELECT DISTINCT n.nspname::text, c.relname::text, p.oid
FROM path
JOIN pg_proc AS p ON path.classid = 'pg_proc'::regclass AND p.oid = path.objid
JOIN pg_language AS l ON l.oid = p.prolang
JOIN pg_class AS c ON c.oid = path.view
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE p.prosqlbody IS NULL AND l.lanname NOT IN ('c', 'internal')
    AND NOT EXISTS (
        SELECT FROM pg_depend AS d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
    )
ORDER BY 1, 2, 3;

-- name: missing_relations
-- The changed relations that do not exist.
SELECT v.nspname, v.relname
FROM unnest(%(changed_schemas)s::text[], %(changed_names)s::text[]) AS v (nspname, relname)
WHERE NOT EXISTS (
    SELECT
    FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = v.nspname AND c.relname = v.relname
);
