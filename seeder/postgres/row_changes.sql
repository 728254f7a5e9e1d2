-- The rows of a view before and after its refresh, and requests for samples of those that changed.

-- name: row_matching
-- How the rows of a view before and after its refresh can be matched: by the smallest unique index that guarantees that its
-- values occur once. Returns the view's OID, whether it was ever filled, its bytes without indexes, its columns, and the
-- columns of the index with the schema and name of its equality operators. Another operator of that name could be found by
-- the search path, or none, such as for citext.
SELECT c.oid::bigint, c.relispopulated, pg_table_size(c.oid), a.names, i.columns, i.schemas, i.operators
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
    SELECT array_agg(attname::text ORDER BY attnum) AS names
    FROM pg_attribute
    WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
) AS a
LEFT JOIN LATERAL (
    SELECT
        array_agg(k.attname::text ORDER BY p.place) AS columns,
        array_agg(s.nspname::text ORDER BY p.place) AS schemas,
        array_agg(o.oprname::text ORDER BY p.place) AS operators
    FROM pg_index AS x
    JOIN pg_class AS xc ON xc.oid = x.indexrelid
    JOIN pg_am AS m ON m.oid = xc.relam AND m.amname = 'btree'
    CROSS JOIN LATERAL unnest(x.indkey::smallint[], x.indclass::oid[]) WITH ORDINALITY AS p (attnum, opclass, place)
    JOIN pg_attribute AS k ON k.attrelid = c.oid AND k.attnum = p.attnum
    JOIN pg_opclass AS oc ON oc.oid = p.opclass
    JOIN pg_amop AS ao ON ao.amopfamily = oc.opcfamily AND ao.amoplefttype = oc.opcintype
        AND ao.amoprighttype = oc.opcintype AND ao.amopstrategy = 3
    JOIN pg_operator AS o ON o.oid = ao.amopopr
    JOIN pg_namespace AS s ON s.oid = o.oprnamespace
    WHERE x.indrelid = c.oid AND x.indisunique AND x.indisvalid AND x.indimmediate AND x.indpred IS NULL
        AND x.indexprs IS NULL AND p.place <= x.indnkeyatts
    GROUP BY x.indexrelid
    ORDER BY count(*), x.indexrelid
    LIMIT 1
) AS i ON true
WHERE n.nspname = %(schema)s AND c.relname = %(name)s AND c.relkind = 'm';

-- name: request_change_sample
-- A view has at most one request that waits for its refresh, for the largest number of rows that was requested.
INSERT INTO reporting.seeder_change_sample (database_alias, table_name, max_rows, requested_by)
VALUES (%(database)s, %(view)s, %(max_rows)s, %(requested_by)s)
ON CONFLICT (table_name, database_alias) WHERE history_id IS NULL DO UPDATE
SET max_rows = greatest(seeder_change_sample.max_rows, excluded.max_rows), requested_by = excluded.requested_by,
    requested_at = now()
RETURNING id;

-- name: save_change_sample
-- Answer a request, unless another refresh has.
UPDATE reporting.seeder_change_sample
SET history_id = %(history_id)s, run_id = %(run)s, rows_inserted = %(inserted)s::bigint, rows_deleted = %(deleted)s::bigint,
    rows_updated = %(updated)s::bigint, note = %(note)s, rows = %(rows)s::jsonb
WHERE id = %(id)s AND history_id IS NULL
RETURNING 1;
