-- What the catalog knows about one view, for its page. The first two statements wait for no lock. The other ones take an
-- ACCESS SHARE lock, so they wait for a plain refresh of the view.

-- name: described_relation
SELECT
    c.relkind::text AS kind,
    c.relispopulated AS is_populated,
    pg_get_userbyid(c.relowner)::text AS owner,
    obj_description(c.oid, 'pg_class') AS comment
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(name)s;

-- name: described_columns
SELECT
    a.attname::text AS name,
    format_type(a.atttypid, a.atttypmod) AS type,
    col_description(a.attrelid, a.attnum) AS comment
FROM pg_attribute AS a
JOIN pg_class AS c ON c.oid = a.attrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(name)s AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum;

-- name: described_contents
-- A wrap column of zero puts each column of the query on a line of its own.
SELECT
    CASE WHEN c.relkind IN ('m', 'v') THEN pg_get_viewdef(c.oid, 0) END AS query,
    pg_total_relation_size(c.oid) AS total_bytes,
    pg_indexes_size(c.oid) AS index_bytes
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(name)s;

-- name: described_indexes
-- The condition of a usable unique index is that of is_usable_unique_index() in PostgreSQL's matview.c.
SELECT
    index_class.relname::text AS name,
    pg_get_indexdef(i.indexrelid) AS definition,
    pg_relation_size(i.indexrelid) AS size_bytes,
    i.indisunique AS is_unique,
    i.indisvalid AS is_valid,
    i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL AS serves_concurrent_refresh
FROM pg_index AS i
JOIN pg_class AS index_class ON index_class.oid = i.indexrelid
JOIN pg_class AS c ON c.oid = i.indrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(name)s
ORDER BY serves_concurrent_refresh DESC, index_class.relname;

-- name: printed_trial_query
-- The query of a manifest as PostgreSQL prints it, from the temporary view that was created from it.
SELECT pg_get_viewdef('pg_temp.seeder_comparison_0'::regclass, 0);
