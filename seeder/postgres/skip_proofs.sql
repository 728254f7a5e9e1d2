-- What the contents of closed views depend on: `seeder.domain.skip_proof`.
--
-- Rows of the catalog are compared by OID and xmin, not by their text: a definition that was changed and changed back is
-- another version. Changes of statistics (VACUUM, ANALYZE) overwrite pg_class in place, so they do not count.

-- name: proof_relations
-- What materialized views read, through plain views and with partitions and inheritance children: the view, its OID, and
-- OID, kind and name of each relation, whether another one in the list contains it, and the rows that were written into it by
-- the statistics, which can miss some.
WITH RECURSIVE wanted AS (
    SELECT c.oid, n.nspname, c.relname
    FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS v (nspname, relname)
    JOIN pg_namespace AS n ON n.nspname = v.nspname
    JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = v.relname AND c.relkind = 'm'
), reads (root, oid, relkind) AS (
    SELECT oid, oid, 'view' FROM wanted
    UNION
    SELECT reads.root, step.oid, step.relkind
    FROM reads
    CROSS JOIN LATERAL (
        SELECT c.oid, c.relkind::text
        FROM pg_rewrite AS w
        JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
            AND d.refclassid = 'pg_class'::regclass
        JOIN pg_class AS c ON c.oid = d.refobjid
        WHERE w.ev_class = reads.oid AND reads.relkind IN ('view', 'v') AND c.oid <> reads.oid
        UNION ALL
        SELECT c.oid, c.relkind::text
        FROM pg_inherits AS i
        JOIN pg_class AS c ON c.oid = i.inhrelid
        WHERE i.inhparent = reads.oid AND reads.relkind IN ('r', 'p')
    ) AS step (oid, relkind)
)
SELECT
    w.nspname::text, w.relname::text, w.oid::bigint, r.oid::bigint, r.relkind, n.nspname::text, c.relname::text,
    EXISTS (
        SELECT
        FROM pg_inherits AS i
        JOIN reads AS parent ON parent.root = r.root AND parent.oid = i.inhparent
        WHERE i.inhrelid = r.oid
    ) AS is_child,
    pg_stat_get_tuples_inserted(r.oid) + pg_stat_get_tuples_updated(r.oid) + pg_stat_get_tuples_deleted(r.oid)
FROM reads AS r
JOIN wanted AS w ON w.oid = r.root
JOIN pg_class AS c ON c.oid = r.oid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
ORDER BY w.oid, r.oid;

-- name: proof_facts
-- Everything but the rows, of one view with its relations. A materialized view that is read counts by its rows alone, so
-- that one that was refreshed concurrently without a change does not. The timeline changes with a failover and a restore.
SELECT
    pg_current_snapshot()::text,
    concat_ws(
        ' ', current_setting('server_version_num'), (SELECT system_identifier FROM pg_control_system()),
        left(pg_walfile_name(pg_current_wal_lsn()), 8)
    ),
    (SELECT concat_ws(' ', oid, relfilenode, xmin, relispopulated) FROM pg_class WHERE oid = %(view)s::oid),
    (
        SELECT encode(sha256(convert_to(string_agg(fact, ',' ORDER BY fact COLLATE "C"), 'UTF8')), 'hex')
        FROM (
            SELECT concat_ws(
                ' ', 'c', oid, CASE WHEN relkind = 'm' THEN relispopulated::text ELSE xmin::text END,
                relkind, relam, relrowsecurity, relpersistence
            )
            FROM pg_class WHERE oid = ANY (%(relations)s::oid[]) AND oid <> %(view)s::oid
            UNION ALL
            SELECT concat_ws(' ', 'a', attrelid, attnum, xmin)
            FROM pg_attribute WHERE attrelid = ANY (%(relations)s::oid[]) AND attnum > 0
            UNION ALL
            SELECT concat_ws(' ', 'd', oid, xmin) FROM pg_attrdef WHERE adrelid = ANY (%(relations)s::oid[])
            UNION ALL
            SELECT concat_ws(' ', 'w', r.oid, r.xmin)
            FROM pg_rewrite AS r
            JOIN pg_class AS c ON c.oid = r.ev_class
            WHERE c.oid = ANY (%(relations)s::oid[]) AND (c.relkind <> 'm' OR c.oid = %(view)s::oid)
            UNION ALL
            SELECT concat_ws(' ', 'i', inhrelid, inhparent, xmin)
            FROM pg_inherits WHERE inhparent = ANY (%(relations)s::oid[])
        ) AS facts (fact)
    ),
    (
        SELECT encode(sha256(convert_to(string_agg(fact, ',' ORDER BY fact COLLATE "C"), 'UTF8')), 'hex')
        FROM (
            SELECT concat_ws(' ', 'f', oid, xmin) FROM pg_proc WHERE oid >= 16384
            UNION ALL
            SELECT concat_ws(' ', 'a', aggfnoid::oid, xmin) FROM pg_aggregate WHERE aggfnoid >= 16384
            UNION ALL
            SELECT concat_ws(' ', 'e', oid, xmin) FROM pg_enum
            UNION ALL
            SELECT concat_ws(' ', 't', oid, xmin)
            FROM pg_type WHERE oid >= 16384 AND typtype IN ('b', 'd', 'e', 'm', 'r') AND typcategory <> 'A'
            UNION ALL
            SELECT concat_ws(' ', 'n', oid, xmin) FROM pg_constraint WHERE contypid <> 0
            UNION ALL
            SELECT concat_ws(' ', 'o', oid, xmin) FROM pg_operator WHERE oid >= 16384
            UNION ALL
            SELECT concat_ws(' ', 'k', oid, xmin) FROM pg_cast WHERE oid >= 16384
            UNION ALL
            SELECT concat_ws(' ', 'l', oid, xmin) FROM pg_collation WHERE oid >= 16384
            UNION ALL
            SELECT concat_ws(' ', 's', oid, xmin) FROM pg_ts_config WHERE oid >= 16384
            UNION ALL
            SELECT concat_ws(' ', 'm', mapcfg, maptokentype, mapseqno, xmin) FROM pg_ts_config_map WHERE mapcfg >= 16384
            UNION ALL
            SELECT concat_ws(' ', 'y', oid, xmin) FROM pg_ts_dict WHERE oid >= 16384
            UNION ALL
            SELECT concat_ws(' ', 'x', oid, xmin) FROM pg_extension
            UNION ALL
            SELECT concat_ws(' ', 'g', name, current_setting(name, true))
            FROM unnest(ARRAY[
                'TimeZone', 'DateStyle', 'IntervalStyle', 'extra_float_digits', 'bytea_output',
                'lc_monetary', 'lc_numeric', 'lc_time', 'default_text_search_config', 'xmlbinary', 'xmloption',
                'timezone_abbreviations', 'search_path', 'array_nulls', 'quote_all_identifiers'
            ]) AS name
            UNION ALL
            SELECT concat_ws(' ', 'v', datcollate, datctype, datcollversion, pg_database_collation_actual_version(oid))
            FROM pg_database WHERE datname = current_database()
            UNION ALL
            (
                -- One collation of each provider: a new library gives all of them another version.
                SELECT DISTINCT ON (collprovider) concat_ws(' ', 'p', oid, pg_collation_actual_version(oid))
                FROM pg_collation WHERE collversion IS NOT NULL
                ORDER BY collprovider, oid
            )
        ) AS facts (fact)
    );

-- name: view_storage
-- The view's own part of `proof_facts`.
SELECT concat_ws(' ', c.oid, c.relfilenode, c.xmin, c.relispopulated)
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(name)s;

-- name: read_relations
-- What this transaction has locked to read, without indexes and TOAST. pg_locks shows the present, and pg_class the snapshot:
-- a partition that was attached since then is in the list, and so is an index that was created since then.
SELECT l.relation::bigint
FROM pg_locks AS l
LEFT JOIN pg_class AS c ON c.oid = l.relation
WHERE l.locktype = 'relation' AND l.pid = pg_backend_pid() AND l.granted AND l.relation >= 16384
    AND coalesce(c.relkind NOT IN ('i', 'I', 't'), true)
GROUP BY l.relation
HAVING bool_and(l.mode = 'AccessShareLock');

-- name: last_skip_decisions
-- The last decision about each view, with the refresh that its rows are from.
SELECT s.database_alias, s.schema_name, s.view_name, s.refreshed_at, s.refresh_seconds, s.view_rows, s.view_bytes,
    s.activity::text, s.proof::text
FROM unnest(%(databases)s::text[], %(schemas)s::text[], %(names)s::text[])
    AS wanted (database_alias, schema_name, view_name)
CROSS JOIN LATERAL (
    SELECT *
    FROM reporting.seeder_skip_decision AS d
    WHERE (d.database_alias, d.schema_name, d.view_name) =
        (wanted.database_alias, wanted.schema_name, wanted.view_name)
    ORDER BY d.history_id DESC
    LIMIT 1
) AS s;

-- name: save_skip_decision
INSERT INTO reporting.seeder_skip_decision (
    history_id, database_alias, schema_name, view_name, is_skipped, reason, refreshed_at, refresh_seconds, view_rows,
    view_bytes, activity, proof
) VALUES (
    %(history_id)s, %(database)s, %(schema)s, %(name)s, %(is_skipped)s, %(reason)s, %(refreshed_at)s,
    %(refresh_seconds)s, %(rows)s, %(bytes)s, %(activity)s::jsonb, %(proof)s::jsonb
)
ON CONFLICT (history_id) DO NOTHING;
