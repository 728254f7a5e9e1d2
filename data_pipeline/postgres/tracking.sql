-- Tables whose rows have the id of their load.

-- name: tracking_state
-- What a table has already. An index that was not completed is named, because it has to be dropped.
SELECT
    c.relkind::text,
    (
        SELECT format_type(a.atttypid, a.atttypmod)
        FROM pg_attribute AS a
        WHERE a.attrelid = c.oid AND a.attname = %(column)s AND NOT a.attisdropped
    ),
    (
        SELECT pg_get_expr(d.adbin, d.adrelid)
        FROM pg_attribute AS a
        JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE a.attrelid = c.oid AND a.attname = %(column)s AND NOT a.attisdropped
    ),
    EXISTS (
        SELECT
        FROM pg_index AS i
        JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
        WHERE i.indrelid = c.oid AND a.attname = %(column)s AND i.indisvalid
    ),
    (
        SELECT x.relname::text
        FROM pg_index AS i
        JOIN pg_class AS x ON x.oid = i.indexrelid
        JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
        WHERE i.indrelid = c.oid AND a.attname = %(column)s AND NOT i.indisvalid AND c.relkind = 'r'
        LIMIT 1
    )
FROM pg_class AS c
WHERE c.oid = %(oid)s;
