-- Which materialized views depend on relations.

-- name: readers
-- The materialized views that read the wanted relations: the reverse of the statement `dependencies`, which says what a
-- path leads through. A materialized view ends the path. Each wanted relation and its parents and partitions, whose
-- contents change together, are also returned, as a reader of itself. A null source is any opaque function.
WITH RECURSIVE wanted AS (
    SELECT c.oid
    FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS v (nspname, relname)
    JOIN pg_namespace AS n ON n.nspname = v.nspname
    JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = v.relname
), ancestors AS (
    SELECT oid FROM wanted
    UNION
    SELECT i.inhparent FROM ancestors AS a JOIN pg_inherits AS i ON i.inhrelid = a.oid
), descendants AS (
    SELECT oid FROM wanted
    UNION
    SELECT i.inhrelid FROM descendants AS d JOIN pg_inherits AS i ON i.inhparent = d.oid
), reader (source, classid, objid, is_end) AS (
    SELECT oid, 'pg_class'::regclass::oid, oid, false FROM (TABLE ancestors UNION TABLE descendants) AS relatives
    UNION ALL
    -- The planner expects few elements of an array. With the true number it would expect millions of readers.
    SELECT NULL, 'pg_proc'::regclass, oid, false
    FROM unnest(ARRAY(
        SELECT p.oid
        FROM pg_proc AS p
        JOIN pg_language AS l ON l.oid = p.prolang
        WHERE %(with_opaque)s AND p.prosqlbody IS NULL AND l.lanname NOT IN ('c', 'internal') AND p.oid NOT IN (
            SELECT objid FROM pg_depend
            WHERE refclassid = 'pg_extension'::regclass AND classid = 'pg_proc'::regclass AND deptype = 'e'
        )
    )) AS opaque (oid)
    UNION
    SELECT used.source, step.classid, step.objid, step.is_end
    FROM reader AS used
    CROSS JOIN LATERAL (
        SELECT DISTINCT classid, objid FROM pg_depend WHERE refclassid = used.classid AND refobjid = used.objid
    ) AS d
    CROSS JOIN LATERAL (
        SELECT 'pg_class'::regclass, c.oid, c.relkind = 'm'
        FROM pg_rewrite AS r
        JOIN pg_class AS c ON c.oid = r.ev_class AND c.relkind IN ('v', 'm')
        WHERE d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
        UNION ALL
        SELECT d.classid, d.objid, false
        WHERE d.classid IN ('pg_proc'::regclass, 'pg_operator'::regclass, 'pg_type'::regclass)
        UNION ALL
        SELECT 'pg_type'::regclass, contypid, false
        FROM pg_constraint
        WHERE d.classid = 'pg_constraint'::regclass AND oid = d.objid AND contypid <> 0
        UNION ALL
        SELECT 'pg_type'::regclass, reltype, false
        FROM pg_class
        WHERE d.classid = 'pg_class'::regclass AND oid = d.objid AND relkind = 'c'
        UNION ALL
        SELECT 'pg_class'::regclass, c.oid, true
        FROM pg_index AS i
        JOIN pg_class AS c ON c.oid = i.indrelid AND c.relkind = 'm'
        WHERE d.classid = 'pg_class'::regclass AND i.indexrelid = d.objid
        UNION ALL
        SELECT 'pg_class'::regclass, polrelid, false
        FROM pg_policy
        WHERE d.classid = 'pg_policy'::regclass AND oid = d.objid
    ) AS step (classid, objid, is_end)
    WHERE NOT used.is_end
)
SELECT source.nspname::text, source.relname::text, view.nspname::text, view.relname::text, view.relkind = 'm'
FROM reader
CROSS JOIN LATERAL (
    SELECT n.nspname, c.relname, c.relkind
    FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.oid = reader.objid
    OFFSET 0
) AS view
LEFT JOIN LATERAL (
    SELECT n.nspname, c.relname
    FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.oid = reader.source
    OFFSET 0
) AS source ON true
WHERE reader.classid = 'pg_class'::regclass AND (reader.is_end OR reader.objid = reader.source);
