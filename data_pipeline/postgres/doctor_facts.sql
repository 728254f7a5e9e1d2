-- Facts that the doctor needs about the loading lane. Names are quoted for SQL.

-- name: load_table_privileges
-- The tables of the lane, and the privileges on each that this session's role lacks.
SELECT
    t.name, coalesce(c.oid::regclass::text, t.name) AS quoted_name, c.oid IS NOT NULL AS is_present,
    ARRAY(
        SELECT p FROM unnest(string_to_array(t.needed, ' ')) AS p
        WHERE c.oid IS NOT NULL AND NOT has_table_privilege(c.oid, p)
    ) AS missing,
    s.name AS forbidden_sequence
FROM unnest(%(names)s::text[], %(needed)s::text[]) WITH ORDINALITY AS t (name, needed, position)
LEFT JOIN pg_class AS c ON c.oid = to_regclass(t.name)
LEFT JOIN LATERAL (
    SELECT d.objid::regclass::text AS name
    FROM pg_depend AS d JOIN pg_class AS q ON q.oid = d.objid
    WHERE d.refobjid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'a'  -- an identity column needs no privilege
        AND CASE WHEN q.relkind = 'S' THEN NOT has_sequence_privilege(d.objid, 'USAGE') ELSE false END
    LIMIT 1
) AS s ON true
ORDER BY t.position;

-- name: has_load_tables
SELECT bool_and(to_regclass(name) IS NOT NULL)
FROM unnest(ARRAY['load_log', 'load_event', 'load_reject', 'load_refresh', 'load_dead_letter']) AS name;

-- name: event_trigger_state
-- `O` and `A` mean that the trigger is enabled. No row if it is missing.
SELECT tgenabled::text FROM pg_trigger WHERE tgrelid = to_regclass('load_event') AND tgname = 'load_event_append_only';

-- name: failed_loads
-- Open dead letters by source, with the last one. At most 10,000 are read.
SELECT source, count(*), (array_agg(id ORDER BY updated_at DESC))[1], (array_agg(error_code ORDER BY updated_at DESC))[1]
FROM (
    SELECT load_id AS id, source, updated_at, error_code FROM load_dead_letter
    WHERE state = 'open'
    ORDER BY updated_at DESC LIMIT 10000
) AS failed
GROUP BY source
ORDER BY source;

-- name: late_refreshes
-- Refreshes that are not dispatched after five minutes.
SELECT count(*), min(load_id)
FROM (
    SELECT load_id FROM load_refresh
    WHERE dispatched_at IS NULL AND created_at < clock_timestamp() - interval '5 minutes'
    LIMIT 10000
) AS late;

-- name: loads_with_open_rejects
-- The last loads with open rejects, and their number.
SELECT r.load_id, count(*)
FROM (SELECT load_id FROM load_reject WHERE state = 'open' ORDER BY load_id DESC LIMIT 10000) AS r
GROUP BY r.load_id
ORDER BY r.load_id DESC;

-- name: target_facts
-- Whether tables exist, their primary keys, and the privileges that this session's role lacks.
SELECT
    t.position::integer - 1 AS position, c.oid::regclass::text AS quoted_name, i.indexrelid IS NOT NULL AS has_key,
    quote_ident(t.schema) AS quoted_schema, has_schema_privilege(n.oid, 'USAGE') AS can_use_schema,
    CASE WHEN has_schema_privilege(n.oid, 'USAGE') THEN ARRAY(
        SELECT p FROM unnest(string_to_array(t.needed, ' ')) AS p WHERE NOT has_table_privilege(c.oid, p)
    ) ELSE '{}' END AS missing
FROM unnest(%(schemas)s::text[], %(names)s::text[], %(needed)s::text[])
    WITH ORDINALITY AS t (schema, name, needed, position)
JOIN pg_namespace AS n ON n.nspname = t.schema
JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = t.name AND c.relkind IN ('r', 'p', 'f')
LEFT JOIN pg_index AS i ON i.indrelid = c.oid AND i.indisprimary
ORDER BY t.position;
