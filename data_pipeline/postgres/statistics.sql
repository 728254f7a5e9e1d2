-- The views of statistics: what they are, and their columns.

-- name: stats_relation
-- The first of some names that exists. Each refresh writes the view's row of pg_class anew, also one that was not made by
-- seeder, so `version` differs after each. A name means the current relation, but the row is that of the snapshot: a view
-- that was replaced since has none. So does the file: a refresh that is not concurrent gives the view a new one, with rows
-- that every snapshot sees.
SELECT
    n.nspname::text AS schema, c.relname::text AS name, c.oid::bigint AS oid, c.relkind::text AS kind,
    c.relispopulated AS is_populated, format('%%s %%s', c.oid, c.xmin) AS version,
    nullif(c.relfilenode, 0) IS NOT DISTINCT FROM pg_relation_filenode(c.oid) AS is_current
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND c.oid = (
    SELECT to_regclass(w.name)
    FROM unnest(%(names)s::text[]) WITH ORDINALITY AS w (name, position)
    WHERE to_regclass(w.name) IS NOT NULL
    ORDER BY w.position
    LIMIT 1
);

-- name: stats_columns
-- The columns in order. The type of values is the one behind a domain, without a modifier: a cast to varchar(3) would shorten
-- a value instead of refusing it. Values of a type can be compared if it has an order; the operator may be in a schema that
-- the search path does not have.
WITH RECURSIVE inner_types AS (
    SELECT a.attnum, a.atttypid AS oid
    FROM pg_attribute AS a
    WHERE a.attrelid = %(oid)s AND a.attnum > 0 AND NOT a.attisdropped
    UNION
    SELECT i.attnum, t.typbasetype
    FROM inner_types AS i
    JOIN pg_type AS t ON t.oid = i.oid AND t.typtype = 'd'
)
SELECT
    a.attname::text AS name,
    format_type(a.atttypid, a.atttypmod) AS type,
    format_type(t.oid, -1) AS value_type,
    (
        SELECT format('OPERATOR(%%I.%%s)', s.nspname, o.oprname)
        FROM pg_opclass AS c
        JOIN pg_am AS m ON m.oid = c.opcmethod AND m.amname = 'btree'
        JOIN pg_amop AS p ON p.amopfamily = c.opcfamily AND p.amopstrategy = 3
            AND p.amoplefttype = c.opcintype AND p.amoprighttype = c.opcintype
        JOIN pg_operator AS o ON o.oid = p.amopopr
        JOIN pg_namespace AS s ON s.oid = o.oprnamespace
        WHERE c.opcdefault AND c.opcintype = CASE
            WHEN t.typtype = 'e' THEN 'anyenum'::regtype
            WHEN t.oid = 'varchar'::regtype THEN 'text'::regtype
            ELSE t.oid
        END
    ) AS equality,
    t.oid IN ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype) AS is_date,
    t.typcategory = 'D' AS is_time,
    t.oid IN (
        'boolean'::regtype, 'smallint'::regtype, 'integer'::regtype, 'bigint'::regtype, 'real'::regtype,
        'double precision'::regtype, 'text'::regtype, 'varchar'::regtype, 'bpchar'::regtype
    ) AS is_json
FROM inner_types AS i
JOIN pg_type AS t ON t.oid = i.oid AND t.typtype <> 'd'
JOIN pg_attribute AS a ON a.attrelid = %(oid)s AND a.attnum = i.attnum
ORDER BY a.attnum;
