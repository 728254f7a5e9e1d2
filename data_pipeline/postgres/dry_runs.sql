-- What a dry run keeps as it is although PostgreSQL does not roll it back, and what it would change in the catalog.

-- name: sequences_of_table
-- The sequences from which the defaults of a table draw: of identity and serial columns, and of other defaults.
SELECT DISTINCT n.nspname::text, c.relname::text, s.seqincrement, pg_has_role(c.relowner, 'USAGE')
FROM (
    SELECT objid AS oid
    FROM pg_depend
    WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass AND refobjid = %(oid)s
        AND deptype IN ('a', 'i')
    UNION
    SELECT d.refobjid
    FROM pg_attrdef AS a
    JOIN pg_depend AS d ON d.classid = 'pg_attrdef'::regclass AND d.objid = a.oid AND d.refclassid = 'pg_class'::regclass
    WHERE a.adrelid = %(oid)s
) AS used
JOIN pg_class AS c ON c.oid = used.oid AND c.relkind = 'S'
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_sequence AS s ON s.seqrelid = c.oid
ORDER BY 1, 2;

-- name: columns_by_name
SELECT a.attname::text, format_type(a.atttypid, a.atttypmod)
FROM pg_attribute AS a
JOIN pg_class AS c ON c.oid = a.attrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(name)s AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum;

-- name: pretend_load_id
-- Rows of tracked tables get this id, which no load has.
SELECT set_config('data_pipeline.load_id', '0', true);
