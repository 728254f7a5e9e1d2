-- Which tables feed views.

-- name: tables_behind_views
-- The tables whose rows the wanted relations show: directly, through views, functions with a parsed body (BEGIN ATOMIC),
-- operators, types and row security policies. With their parents and partitions, whose rows change together. What the wanted
-- views themselves use is read by one join, because the recursion reads it view by view.
WITH RECURSIVE wanted AS MATERIALIZED (
    SELECT c.oid, c.relkind IN ('v', 'm') AS is_view
    FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS v (nspname, relname)
    JOIN pg_namespace AS n ON n.nspname = v.nspname
    JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = v.relname
), used (classid, objid) AS (
    (
        SELECT 'pg_class'::regclass::oid, oid FROM wanted WHERE NOT is_view
        UNION
        SELECT d.refclassid, d.refobjid
        FROM wanted
        JOIN pg_rewrite AS r ON r.ev_class = wanted.oid
        JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
        WHERE is_view AND d.refclassid IN (
            'pg_class'::regclass, 'pg_proc'::regclass, 'pg_operator'::regclass, 'pg_type'::regclass
        )
            AND (d.refclassid <> 'pg_class'::regclass OR d.refobjid NOT IN (SELECT oid FROM wanted WHERE is_view))
    )
    UNION
    SELECT step.refclassid, step.refobjid
    FROM used
    CROSS JOIN LATERAL (
        SELECT d.refclassid, d.refobjid
        FROM pg_rewrite AS r
        JOIN pg_class AS c ON c.oid = r.ev_class AND c.relkind IN ('v', 'm')
        JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
        WHERE used.classid = 'pg_class'::regclass AND r.ev_class = used.objid
        UNION ALL
        SELECT d.refclassid, d.refobjid
        FROM pg_depend AS d
        WHERE used.classid IN ('pg_proc'::regclass, 'pg_operator'::regclass, 'pg_type'::regclass)
            AND d.classid = used.classid AND d.objid = used.objid
        UNION ALL
        SELECT d.refclassid, d.refobjid
        FROM pg_policy AS p
        JOIN pg_depend AS d ON d.classid = 'pg_policy'::regclass AND d.objid = p.oid
        WHERE used.classid = 'pg_class'::regclass AND p.polrelid = used.objid
    ) AS step
    WHERE step.refclassid IN (
        'pg_class'::regclass, 'pg_proc'::regclass, 'pg_operator'::regclass, 'pg_type'::regclass
    )
        AND (step.refclassid <> 'pg_class'::regclass OR step.refobjid NOT IN (SELECT oid FROM wanted WHERE is_view))
), parents (oid) AS (
    SELECT objid FROM used WHERE classid = 'pg_class'::regclass
    UNION
    SELECT i.inhparent FROM parents AS p JOIN pg_inherits AS i ON i.inhrelid = p.oid
), partitions (oid) AS (
    SELECT objid FROM used WHERE classid = 'pg_class'::regclass
    UNION
    SELECT i.inhrelid FROM partitions AS p JOIN pg_inherits AS i ON i.inhparent = p.oid
)
SELECT n.nspname::text, c.relname::text
FROM (TABLE parents UNION TABLE partitions) AS relative
JOIN pg_class AS c ON c.oid = relative.oid AND c.relkind IN ('r', 'p')
JOIN pg_namespace AS n ON n.oid = c.relnamespace;
