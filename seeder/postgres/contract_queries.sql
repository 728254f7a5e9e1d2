-- Privileges on the contract's tables.

-- name: missing_privileges
-- The required privileges that this role lacks on existing tables. USAGE is that of the schema.
SELECT c.relname::text, required.privilege
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN unnest(%(privileges)s::text[]) WITH ORDINALITY AS required (privilege, position)
WHERE n.nspname = 'reporting' AND c.relname = ANY (%(tables)s::text[])
    AND NOT CASE required.privilege
        WHEN 'USAGE' THEN has_schema_privilege(n.oid, 'USAGE')
        ELSE has_table_privilege(c.oid, required.privilege)
    END
ORDER BY c.relname, required.position;

-- name: has_refresh_privileges
-- True if this role can read the manifests and write the history, or the queue, as far as the tables exist.
SELECT coalesce(bool_and(
    has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
    AND (NOT required.writes OR has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'UPDATE'))
    AND (required.serial IS NULL OR coalesce(has_sequence_privilege(
        pg_get_serial_sequence(format('%%I.%%I', n.nspname, c.relname), required.serial), 'USAGE'
    ), true))
), true)
FROM (VALUES
    ('seeder_custom_report_manifest', false, NULL, NULL),
    ('seeder_canned_report', false, NULL, NULL),
    ('seeder_canned_report_manifest', false, NULL, NULL),
    ('seeder_run_history', true, 'id', false),
    ('seeder_job_status', true, NULL, false),
    ('seeder_queued_refresh', true, 'id', true)
) AS required (name, writes, serial, queued)
JOIN pg_class AS c ON c.relname = required.name
JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = 'reporting'
WHERE required.queued IS NULL OR required.queued = %(queued)s;
