-- The table that a load fills: its columns, keys and rules.

-- name: target_relation
SELECT c.oid, c.relkind::text, c.relispartition
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(name)s;

-- name: target_columns
-- The columns in order. A column can be omitted if it is nullable, has a default, or is an identity. `kinds` are the
-- categories of the types inside it: those of its array, range or domain, which read the same words as the type itself.
WITH RECURSIVE inner_types AS (
    SELECT a.attnum, a.atttypid AS oid
    FROM pg_attribute AS a
    WHERE a.attrelid = %(oid)s AND a.attnum > 0 AND NOT a.attisdropped
    UNION
    SELECT i.attnum, step.oid
    FROM inner_types AS i
    JOIN pg_type AS t ON t.oid = i.oid
    CROSS JOIN LATERAL (
        SELECT t.typelem WHERE t.typelem <> 0 AND t.typcategory = 'A'
        UNION ALL SELECT t.typbasetype WHERE t.typbasetype <> 0
        UNION ALL SELECT r.rngsubtype FROM pg_range AS r WHERE r.rngtypid = t.oid OR r.rngmultitypid = t.oid
        UNION ALL SELECT f.atttypid FROM pg_attribute AS f WHERE f.attrelid = t.typrelid AND f.attnum > 0
    ) AS step (oid)
)
SELECT
    a.attname::text AS name,
    format_type(a.atttypid, a.atttypmod) AS type,
    a.attnotnull OR (t.typtype = 'd' AND t.typnotnull) AS is_required,
    NOT a.attnotnull OR a.atthasdef OR a.attidentity <> '' OR t.typdefault IS NOT NULL AS can_be_omitted,
    a.attgenerated <> '' OR a.attidentity = 'a' AS is_generated,
    a.attgenerated <> '' AS is_computed,
    t.typname IN ('text', 'varchar', 'bpchar') AND a.atttypmod < 0 AND t.typtype = 'b' AS is_any_text,
    t.typname IN ('date', 'timestamp', 'timestamptz') AS is_date,
    EXISTS (
        SELECT FROM inner_types AS i JOIN pg_type AS k ON k.oid = i.oid
        WHERE i.attnum = a.attnum AND k.typname IN ('date', 'timestamp', 'timestamptz', 'time', 'timetz')
    ) AS reads_date_words
FROM pg_attribute AS a
JOIN pg_type AS t ON t.oid = a.atttypid
WHERE a.attrelid = %(oid)s AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum;

-- name: target_primary_key
SELECT a.attname::text
FROM pg_index AS i
CROSS JOIN unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, position)
JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE i.indrelid = %(oid)s AND i.indisprimary
ORDER BY k.position;

-- name: constraint_columns
-- The columns of a unique or foreign key constraint, or unique index, of a table by the name in an error. Columns of
-- expressions and partial indexes are not known.
SELECT
    kind, columns, other_table, other_columns, nulls_not_distinct
FROM (
    SELECT
        c.conname AS name, c.contype::text AS kind, c.conrelid AS relation,
        ARRAY(
            SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY AS k (n, i)
            JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = k.n ORDER BY k.i
        ) AS columns,
        c.confrelid::regclass::text AS other_table,
        ARRAY(
            SELECT a.attname::text FROM unnest(c.confkey) WITH ORDINALITY AS k (n, i)
            JOIN pg_attribute AS a ON a.attrelid = c.confrelid AND a.attnum = k.n ORDER BY k.i
        ) AS other_columns,
        coalesce((to_jsonb(x) ->> 'indnullsnotdistinct')::boolean, false) AS nulls_not_distinct
    FROM pg_constraint AS c
    LEFT JOIN pg_index AS x ON x.indexrelid = c.conindid AND c.contype IN ('p', 'u')
    WHERE c.contype IN ('p', 'u', 'f')
    UNION ALL
    SELECT
        i.relname, 'u', x.indrelid,
        ARRAY(
            SELECT a.attname::text FROM unnest(x.indkey::int2[]) WITH ORDINALITY AS k (n, i)
            JOIN pg_attribute AS a ON a.attrelid = x.indrelid AND a.attnum = k.n WHERE k.i <= x.indnkeyatts ORDER BY k.i
        ),
        '-', ARRAY[]::text[], coalesce((to_jsonb(x) ->> 'indnullsnotdistinct')::boolean, false)
    FROM pg_index AS x
    JOIN pg_class AS i ON i.oid = x.indexrelid
    WHERE x.indisunique AND x.indpred IS NULL AND x.indexprs IS NULL
        AND NOT EXISTS (SELECT FROM pg_constraint AS c WHERE c.conindid = x.indexrelid AND c.contype IN ('p', 'u'))
) AS known
WHERE relation = %(oid)s AND name = %(constraint)s;

-- name: check_expression
SELECT pg_get_expr(c.conbin, c.conrelid) FROM pg_constraint AS c
WHERE c.conrelid = %(oid)s AND c.conname = %(constraint)s AND c.contype = 'c';

-- name: set_constraints_immediate
-- A violation is then an error of the statement that inserts the row.
SET CONSTRAINTS ALL IMMEDIATE;
