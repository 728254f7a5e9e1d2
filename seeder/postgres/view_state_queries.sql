-- As of when the data of views are.
--
-- Every refresh, also a concurrent one, writes the view's row in pg_class. So its xmin shows whether another refresh came
-- after the recorded one. A GRANT or ALTER writes the row, too; then the state is unknown until the next refresh.
--
-- A plain refresh also replaces the storage, and then transactions with older snapshots read its rows, but the old row in
-- pg_class. pg_relation_filenode() has the storage of now, so these transactions know that they cannot know the state.

-- name: materialized_view_versions
-- The version of a view with newer storage than its row is empty, so it equals none.
SELECT
    c.oid, n.nspname::text AS schema_name, c.relname::text AS view_name,
    CASE WHEN c.relfilenode = pg_relation_filenode(c.oid) THEN c.xmin::text ELSE '' END AS version
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'm'

-- name: view_versions
-- Materialized views by OID or by name.
SELECT oid::bigint, schema_name, view_name, version
FROM ({materialized_view_versions}) AS view
WHERE oid = ANY (%(oids)s::oid[] || ARRAY(
    SELECT named.oid
    FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS wanted (schema_name, view_name)
    JOIN pg_namespace AS n ON n.nspname = wanted.schema_name
    JOIN pg_class AS named ON named.relnamespace = n.oid AND named.relname = wanted.view_name
));

-- name: view_states
SELECT s.schema_name, s.view_name, s.view_oid, s.view_xmin, s.data_as_of, s.unknown
FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS wanted (schema_name, view_name)
JOIN reporting.seeder_view_state AS s USING (schema_name, view_name)
WHERE s.database_alias = %(database)s;

-- name: record_view_state
-- In the transaction of the refresh and after it, unless the view's version is given because it is in another database. A view
-- that was read and has another version now was refreshed meanwhile, and the refresh can have read either state.
WITH view AS (
    SELECT %(state_oid)s::bigint AS oid, %(state_xmin)s::text AS xmin
    WHERE %(state_oid)s::bigint IS NOT NULL
    UNION ALL
    SELECT c.oid::bigint, c.xmin::text
    FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE %(state_oid)s::bigint IS NULL AND n.nspname = %(state_schema)s AND c.relname = %(state_name)s
), age AS (
    SELECT CASE WHEN %(state_as_of)s::timestamptz IS NULL THEN %(state_unknown)s::text
        WHEN EXISTS (
            SELECT FROM unnest(%(read_oids)s::bigint[], %(read_xmins)s::text[]) AS read (oid, xmin)
            WHERE NOT EXISTS (
                SELECT
                FROM pg_class AS c
                WHERE c.oid = read.oid::oid AND c.xmin::text = read.xmin
                    AND c.relfilenode = pg_relation_filenode(c.oid)
            )
        ) THEN 'upstream_changed'
    END AS unknown
)
INSERT INTO reporting.seeder_view_state
    (database_alias, schema_name, view_name, view_oid, view_xmin, data_as_of, unknown)
SELECT
    %(state_database)s, %(state_schema)s, %(state_name)s, view.oid, view.xmin,
    CASE WHEN age.unknown IS NULL THEN %(state_as_of)s::timestamptz END, age.unknown
FROM view, age
ON CONFLICT (database_alias, schema_name, view_name) DO UPDATE SET
    view_oid = excluded.view_oid, view_xmin = excluded.view_xmin, data_as_of = excluded.data_as_of,
    unknown = excluded.unknown, updated_at = now()
RETURNING 1;
