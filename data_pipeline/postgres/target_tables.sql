-- The table that a load fills: its columns, keys and rules.

-- name: target_relation
-- The bits of tgtype are row (1), before (2), insert (4) and update (16). The rule of a SELECT (1) is that of a view.
SELECT
    c.oid,
    c.relkind::text AS kind,
    c.oid IN (
        SELECT to_regclass('load_' || name)
        FROM unnest(ARRAY['log', 'change', 'event', 'reject', 'refresh', 'request', 'total']) AS name
    ) AS is_of_loads,
    (SELECT min(r.rulename) FROM pg_rewrite AS r WHERE r.ev_class = c.oid AND r.ev_type <> '1' AND r.ev_enabled <> 'D') AS rule,
    row_security_active(c.oid) AS has_row_security,
    EXISTS (
        SELECT FROM pg_trigger AS g
        WHERE (g.tgrelid = c.oid OR g.tgrelid IN (SELECT relid FROM pg_partition_tree(c.oid)))
            AND NOT g.tgisinternal AND g.tgenabled <> 'D' AND g.tgtype & 3 = 3 AND g.tgtype & 20 <> 0
    ) AS has_row_triggers,
    EXISTS (SELECT FROM pg_constraint AS k WHERE k.conrelid = c.oid AND k.confrelid = c.oid) AS is_own_parent,
    (SELECT min(i.inhrelid)::regclass::text FROM pg_inherits AS i WHERE i.inhparent = c.oid AND c.relkind <> 'p') AS child
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(name)s;

-- name: target_columns
-- The columns in order. A column can be omitted if it is nullable, has a default, is an identity, or a trigger may give it
-- a value. `kinds` are the categories of the types inside it: those of its array, range or domain, which read the same words
-- as the type itself. Equality is not exact for numeric (1.0 and 1.00), floating point (0 and -0), shapes of the same area,
-- and others. The operator of equality may be in a schema that the search path does not have.
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
),
domains AS (
    SELECT a.attnum, t.typnotnull, t.typbasetype
    FROM pg_attribute AS a
    JOIN pg_type AS t ON t.oid = a.atttypid AND t.typtype = 'd'
    WHERE a.attrelid = %(oid)s AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT d.attnum, t.typnotnull, t.typbasetype
    FROM domains AS d
    JOIN pg_type AS t ON t.oid = d.typbasetype AND t.typtype = 'd'
),
required AS (
    SELECT
        a.attnum,
        a.attnotnull AND NOT %(has_row_triggers)s
        OR EXISTS (SELECT FROM domains AS d WHERE d.attnum = a.attnum AND d.typnotnull) AS is_required
    FROM pg_attribute AS a
    WHERE a.attrelid = %(oid)s
)
SELECT
    a.attname::text AS name,
    format_type(a.atttypid, a.atttypmod) AS type,
    r.is_required,
    NOT r.is_required OR a.atthasdef OR a.attidentity <> '' OR t.typdefault IS NOT NULL AS can_be_omitted,
    a.attgenerated <> '' OR a.attidentity = 'a' AS is_generated,
    a.attgenerated <> '' AS is_computed,
    t.typname IN ('text', 'varchar', 'bpchar') AND a.atttypmod < 0 AND t.typtype = 'b' AS is_any_text,
    EXISTS (
        SELECT FROM inner_types AS i JOIN pg_type AS k ON k.oid = i.oid
        WHERE i.attnum = a.attnum AND k.typtype = 'c'
    ) AND t.typcategory <> 'A' AS is_composite,
    t.typname IN ('date', 'timestamp', 'timestamptz') AS is_date,
    EXISTS (
        SELECT FROM inner_types AS i JOIN pg_type AS k ON k.oid = i.oid
        WHERE i.attnum = a.attnum AND k.typname IN ('date', 'timestamp', 'timestamptz', 'time', 'timetz')
    ) AS reads_date_words,
    CASE WHEN a.attcollation <> t.typcollation THEN quote_ident(n.nspname) || '.' || quote_ident(l.collname) END AS collation,
    t.typtype = 'e' OR t.typname = 'numeric' AND a.atttypmod >= 0 OR t.oid IN (
        'boolean'::regtype, 'smallint'::regtype, 'integer'::regtype, 'bigint'::regtype, 'money'::regtype, 'oid'::regtype,
        'date'::regtype, 'time'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype, 'uuid'::regtype, 'bytea'::regtype
    ) OR t.oid IN ('text'::regtype, 'varchar'::regtype) AND l.collisdeterministic AS has_exact_equality,
    coalesce(
        (
            SELECT format('OPERATOR(%%I.%%s)', s.nspname, o.oprname)
            FROM pg_opclass AS c
            JOIN pg_am AS m ON m.oid = c.opcmethod AND m.amname = 'btree'
            JOIN pg_amop AS p ON p.amopfamily = c.opcfamily AND p.amopstrategy = 3
                AND p.amoplefttype = c.opcintype AND p.amoprighttype = c.opcintype
            JOIN pg_operator AS o ON o.oid = p.amopopr
            JOIN pg_namespace AS s ON s.oid = o.oprnamespace
            WHERE c.opcdefault AND (
                c.opcintype = t.oid OR EXISTS (SELECT FROM domains AS d WHERE d.attnum = a.attnum AND d.typbasetype = c.opcintype)
            )
        ),
        '='
    ) AS equality
FROM pg_attribute AS a
JOIN pg_type AS t ON t.oid = a.atttypid
LEFT JOIN pg_collation AS l ON l.oid = a.attcollation
LEFT JOIN pg_namespace AS n ON n.oid = l.collnamespace
JOIN required AS r USING (attnum)
WHERE a.attrelid = %(oid)s AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum;

-- name: target_primary_key
SELECT a.attname::text
FROM pg_index AS i
CROSS JOIN unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, position)
JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE i.indrelid = %(oid)s AND i.indisprimary
ORDER BY k.position;

-- name: is_unique
-- Whether at most one row has the same values in these columns.
SELECT EXISTS (
    SELECT
    FROM pg_index AS i
    WHERE i.indrelid = %(oid)s AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND NOT EXISTS (
        SELECT
        FROM generate_series(0, i.indnkeyatts - 1) AS k (position)
        LEFT JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k.position]
        WHERE a.attname IS NULL OR a.attname <> ALL (%(columns)s) OR a.attcollation <> i.indcollation[k.position]
    )
);

-- name: cascading_keys
-- Foreign keys to a table that change or delete the rows of other tables, as far as this role can read them.
SELECT
    n.nspname::text, t.relname::text,
    ARRAY(
        SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS c (attnum, position)
        JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = c.attnum ORDER BY c.position
    ),
    ARRAY(
        SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS c (attnum, position)
        JOIN pg_attribute AS a ON a.attrelid = k.confrelid AND a.attnum = c.attnum ORDER BY c.position
    ),
    ARRAY(
        SELECT format('OPERATOR(%%I.%%s)', s.nspname, o.oprname)
        FROM unnest(k.conpfeqop) WITH ORDINALITY AS e (oid, position)
        JOIN pg_operator AS o ON o.oid = e.oid
        JOIN pg_namespace AS s ON s.oid = o.oprnamespace
        ORDER BY e.position
    )
FROM pg_constraint AS k
JOIN pg_class AS t ON t.oid = k.conrelid
JOIN pg_namespace AS n ON n.oid = t.relnamespace
WHERE k.confrelid = %(oid)s AND k.contype = 'f' AND k.confdeltype IN ('c', 'n', 'd') AND k.conrelid <> k.confrelid
    AND NOT (t.relispartition AND k.conparentid <> 0) AND has_table_privilege(t.oid, 'SELECT')
ORDER BY 1, 2;

-- name: constraint_column
-- The only column of a constraint or unique index, by the names in an error.
SELECT DISTINCT a.attname::text
FROM pg_class AS t
JOIN pg_namespace AS n ON n.oid = t.relnamespace
CROSS JOIN LATERAL (
    SELECT k.conkey[1] AS attnum FROM pg_constraint AS k
    WHERE k.conrelid = t.oid AND k.conname = %(constraint)s AND cardinality(k.conkey) = 1
    UNION ALL
    SELECT x.indkey[0] FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid
    WHERE x.indrelid = t.oid AND i.relname = %(constraint)s AND x.indnkeyatts = 1
) AS key
JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = key.attnum
WHERE n.nspname = %(schema)s AND t.relname = %(table)s;

-- name: unique_index
-- The key of a unique index of the target, which the error names by its part of a partition.
SELECT
    ARRAY(SELECT pg_get_indexdef(x.indexrelid, k, true) FROM generate_series(1, x.indnkeyatts) AS k),
    ARRAY(
        SELECT format('OPERATOR(%%I.%%s)', s.nspname, o.oprname)
        FROM unnest(x.indclass::oid[]) WITH ORDINALITY AS c (oid, position)
        JOIN pg_opclass AS b ON b.oid = c.oid
        JOIN pg_amop AS p ON p.amopfamily = b.opcfamily AND p.amopstrategy = 3
            AND p.amoplefttype = b.opcintype AND p.amoprighttype = b.opcintype
        JOIN pg_operator AS o ON o.oid = p.amopopr
        JOIN pg_namespace AS s ON s.oid = o.oprnamespace
        ORDER BY c.position
    ),
    pg_get_expr(x.indpred, x.indrelid),
    x.indnullsnotdistinct,
    NOT x.indimmediate
FROM pg_class AS violated
JOIN pg_namespace AS n ON n.oid = violated.relnamespace
JOIN pg_index AS x ON x.indexrelid = coalesce(pg_partition_root(violated.oid), violated.oid)
WHERE n.nspname = %(schema)s AND violated.relname = %(constraint)s AND x.indrelid = %(oid)s AND x.indisunique;

-- name: exclusion_constraint
-- An exclusion constraint of the target, or of its partition, that can be the arbiter of ON CONFLICT: its definition,
-- expressions, operators, and the rows for which it holds.
SELECT
    pg_get_constraintdef(k.oid),
    ARRAY(SELECT pg_get_indexdef(x.indexrelid, at, true) FROM generate_series(1, x.indnkeyatts) AS at),
    ARRAY(
        SELECT format('OPERATOR(%%I.%%s)', s.nspname, o.oprname)
        FROM unnest(k.conexclop) WITH ORDINALITY AS e (oid, position)
        JOIN pg_operator AS o ON o.oid = e.oid
        JOIN pg_namespace AS s ON s.oid = o.oprnamespace
        ORDER BY e.position
    ),
    pg_get_expr(x.indpred, x.indrelid)
FROM pg_constraint AS k
JOIN pg_class AS t ON t.oid = k.conrelid
JOIN pg_namespace AS n ON n.oid = t.relnamespace
JOIN pg_index AS x ON x.indexrelid = k.conindid
WHERE n.nspname = %(schema)s AND t.relname = %(table)s AND k.conname = %(constraint)s
    AND k.conexclop IS NOT NULL AND NOT k.condeferrable AND (t.oid = %(oid)s OR k.conparentid <> 0);

-- name: partition_condition
-- The condition that a partition of the target, or the target as a partition, accepts a row, and the columns of the
-- partition keys. Null if there are no partitions.
SELECT
    (
        SELECT string_agg(format('(%%s)', coalesce(pg_get_partition_constraintdef(p.relid), 'true')), ' OR ')
        FROM pg_partition_tree(%(oid)s) AS p
        WHERE p.isleaf
    ),
    ARRAY(
        SELECT DISTINCT a.attname::text
        FROM (
            SELECT relid FROM pg_partition_tree(%(oid)s) UNION SELECT relid FROM pg_partition_ancestors(%(oid)s)
        ) AS r
        JOIN pg_partitioned_table AS t ON t.partrelid = r.relid
        JOIN pg_attribute AS a ON a.attrelid = t.partrelid AND a.attnum = ANY (t.partattrs::int2[]) AND a.attnum > 0
        ORDER BY 1
    );

-- name: foreign_key
-- The columns of a foreign key of the target, or of one that its partition inherits. Nulls in a part of the key are
-- accepted by MATCH SIMPLE only.
SELECT
    ARRAY(
        SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS c (attnum, position)
        JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = c.attnum ORDER BY c.position
    ),
    k.confrelid::regclass::text,
    ARRAY(
        SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS c (attnum, position)
        JOIN pg_attribute AS a ON a.attrelid = k.confrelid AND a.attnum = c.attnum ORDER BY c.position
    ),
    ARRAY(
        SELECT format('OPERATOR(%%I.%%s)', s.nspname, o.oprname)
        FROM unnest(k.conpfeqop) WITH ORDINALITY AS e (oid, position)
        JOIN pg_operator AS o ON o.oid = e.oid
        JOIN pg_namespace AS s ON s.oid = o.oprnamespace
        ORDER BY e.position
    ),
    k.confrelid = %(oid)s
FROM pg_constraint AS k
JOIN pg_class AS t ON t.oid = k.conrelid
JOIN pg_namespace AS n ON n.oid = t.relnamespace
WHERE n.nspname = %(schema)s AND t.relname = %(table)s AND k.conname = %(constraint)s AND k.contype = 'f'
    AND k.confmatchtype = 's' AND (t.oid = %(oid)s OR k.conparentid <> 0);

-- name: check_expression
-- A check of the target. A partition inherits it by its name.
SELECT pg_get_expr(k.conbin, k.conrelid)
FROM pg_constraint AS k
JOIN pg_constraint AS violated ON violated.conname = k.conname AND violated.contype = 'c'
JOIN pg_class AS t ON t.oid = violated.conrelid
JOIN pg_namespace AS n ON n.oid = t.relnamespace
WHERE k.conrelid = %(oid)s AND k.conname = %(constraint)s AND k.contype = 'c'
    AND n.nspname = %(schema)s AND t.relname = %(table)s AND (t.oid = %(oid)s OR violated.coninhcount > 0);

-- name: checks
-- The checks of the target with their columns. Those that are not enforced (PostgreSQL 18) refuse no row.
SELECT
    k.conname::text, pg_get_expr(k.conbin, k.conrelid),
    ARRAY(
        SELECT a.attname::text FROM pg_attribute AS a
        WHERE a.attrelid = k.conrelid AND (a.attnum = ANY (k.conkey) OR 0 = ANY (k.conkey) AND a.attnum > 0)
    )
FROM pg_constraint AS k
WHERE k.conrelid = %(oid)s AND k.contype = 'c' AND coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true)
ORDER BY k.conname;

-- name: set_constraints_immediate
-- A violation is then an error of the statement that inserts the row.
SET CONSTRAINTS ALL IMMEDIATE;

-- name: end_without_client
-- Until the end of the transaction, the server ends a statement whose client is gone.
SELECT CASE WHEN version() ~ 'linux' THEN set_config('client_connection_check_interval', '2s', true) END;

-- name: table_in_path
SELECT n.nspname::text, c.relname::text
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.oid = to_regclass(%(name)s);
