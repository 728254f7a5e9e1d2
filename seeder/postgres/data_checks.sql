-- Data checks: the part of a refresh's transaction in which they run, what they compare with, and their results.

-- name: begin_data_checks
SAVEPOINT seeder_data_checks;

-- name: limit_data_checks
-- Ends with ROLLBACK TO SAVEPOINT. The time limit is in milliseconds, for each statement.
SELECT set_config('transaction_read_only', 'on', true), set_config('statement_timeout', %(timeout)s::text, true);

-- name: end_data_checks
ROLLBACK TO SAVEPOINT seeder_data_checks;
RELEASE SAVEPOINT seeder_data_checks;

-- name: undo_data_check
ROLLBACK TO SAVEPOINT seeder_data_checks;

-- name: view_query
SELECT pg_get_viewdef(c.oid)
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(name)s;

-- name: unreadable_relations
SELECT c.oid::bigint, n.nspname::text, c.relname::text
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.oid = ANY (%(oids)s::oid[])
    AND NOT (has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'))
ORDER BY 2, 3;

-- name: unique_columns
-- The columns of each unique index of a view that guarantees that their values occur once, now and not only at COMMIT.
SELECT array_agg(a.attname::text)
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY ((i.indkey::smallint[])[0:i.indnkeyatts - 1])
WHERE n.nspname = %(schema)s AND c.relname = %(name)s AND i.indisunique AND i.indisvalid AND i.indimmediate
    AND i.indpred IS NULL AND i.indexprs IS NULL
GROUP BY i.indexrelid;

-- name: last_published_rows
-- The rows of the latest successful refresh of a view's manifests, with its end.
SELECT h.records_processed, h.finish_time
FROM reporting.seeder_run_history AS h
JOIN unnest(%(report_types)s::text[], %(manifest_ids)s::integer[]) AS own (report_type, manifest_id)
    USING (report_type, manifest_id)
WHERE h.table_name = ANY (%(names)s::text[]) AND h.status = 'success' AND h.records_processed IS NOT NULL
    AND h.finish_time IS NOT NULL
ORDER BY h.start_time DESC
LIMIT 1;

-- name: accepted_rows
-- The rows that a user accepted last as the new baseline of a check, with the time.
SELECT (figures ->> 'rows')::bigint, granted_at
FROM reporting.seeder_check_waiver
WHERE table_name = %(view)s AND check_name = %(check)s AND database_alias = %(database)s AND decision = 'accept'
ORDER BY id DESC
LIMIT 1;

-- name: latest_check_results
-- An index has the entry of each check, and tells at once that a check has none.
SELECT r.history_id, c.name
FROM unnest(%(views)s::text[], %(databases)s::text[], %(checks)s::text[]) AS c (view, database, name)
CROSS JOIN LATERAL (
    SELECT history_id
    FROM reporting.seeder_check_result
    WHERE table_name = c.view AND check_name = c.name AND database_alias = c.database
    ORDER BY history_id DESC
    LIMIT 1
) AS r;

-- name: save_check_results
INSERT INTO reporting.seeder_check_result (
    history_id, run_id, database_alias, table_name, check_name, kind, arguments, severity, outcome, figures, samples, sqlstate,
    message
)
SELECT
    %(history_id)s::bigint, %(run)s, %(database)s, %(view)s, r.check_name, r.kind, r.arguments, r.severity, r.outcome,
    r.figures, r.samples, r.sqlstate, r.message
FROM jsonb_to_recordset(%(results)s::jsonb) AS r (
    check_name text, kind text, arguments jsonb, severity text, outcome text, figures jsonb, samples jsonb, sqlstate text,
    message text
)
RETURNING 1;
