-- What DROP MATERIALIZED VIEW loses, as statements that restore it.

-- name: recreate_statements
-- The statements that recreate materialized views, in order: view, statement, whether the new query follows it, and the
-- columns of the view that it needs. They run as the view's owner, so that no other role's default privileges or rights
-- apply, and with this session's search_path, in which names without a schema were resolved.
WITH views AS (
    SELECT c.*, format('%%I.%%I', n.nspname, c.relname) AS name, quote_ident(pg_get_userbyid(c.relowner)) AS owner
    FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.oid = ANY (%(oids)s::oid[]) AND c.relkind = 'm'
), columns AS (
    SELECT a.*, v.oid AS view, v.name AS view_name, ARRAY[a.attname::text] AS needed, t.typstorage
    FROM views AS v
    JOIN pg_attribute AS a ON a.attrelid = v.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type AS t ON t.oid = a.atttypid
), needed_columns (classid, objid, names) AS (
    SELECT d.classid, d.objid, array_agg(a.attname::text)
    FROM views AS v
    JOIN pg_depend AS d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = v.oid
    JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    GROUP BY d.classid, d.objid
), indexes AS (
    SELECT i.*, v.oid AS view, v.name AS view_name, x.relname, x.reltablespace,
        format('%%I.%%I', n.nspname, x.relname) AS name, coalesce(c.names, '{}') AS needed
    FROM views AS v
    JOIN pg_index AS i ON i.indrelid = v.oid AND i.indisvalid
    JOIN pg_class AS x ON x.oid = i.indexrelid
    JOIN pg_namespace AS n ON n.oid = x.relnamespace
    LEFT JOIN needed_columns AS c ON c.classid = 'pg_class'::regclass AND c.objid = x.oid
), extended_statistics AS (
    SELECT s.*, v.oid AS view, format('%%I.%%I', n.nspname, s.stxname) AS name, coalesce(c.names, '{}') AS needed
    FROM views AS v
    JOIN pg_statistic_ext AS s ON s.stxrelid = v.oid
    JOIN pg_namespace AS n ON n.oid = s.stxnamespace
    LEFT JOIN needed_columns AS c ON c.classid = 'pg_statistic_ext'::regclass AND c.objid = s.oid
), options (view, option, position) AS (
    SELECT v.oid, format('%%I = %%L', o.option_name, o.option_value), o.ordinality
    FROM views AS v
    CROSS JOIN pg_options_to_table(v.reloptions) WITH ORDINALITY AS o
    UNION ALL
    SELECT v.oid, format('toast.%%I = %%L', o.option_name, o.option_value), 1000 + o.ordinality
    FROM views AS v
    JOIN pg_class AS toast ON toast.oid = v.reltoastrelid
    CROSS JOIN pg_options_to_table(toast.reloptions) WITH ORDINALITY AS o
), granted AS (
    SELECT v.oid AS view, v.name AS view_name, a.grantee, v.relowner AS owner, '' AS column_clause, ARRAY[]::text[] AS needed,
        a.privilege_type, a.is_grantable, 0 AS attnum, a.ordinality
    FROM views AS v
    CROSS JOIN aclexplode(coalesce(v.relacl, acldefault('r', v.relowner))) WITH ORDINALITY AS a
    UNION ALL
    SELECT c.view, c.view_name, a.grantee, NULL, format(' (%%I)', c.attname), c.needed, a.privilege_type, a.is_grantable,
        c.attnum, a.ordinality
    FROM columns AS c
    CROSS JOIN aclexplode(c.attacl) WITH ORDINALITY AS a
), default_grantees (view, grantee) AS (
    -- The default privileges of its owner differ from PostgreSQL's.
    SELECT v.oid, a.grantee
    FROM views AS v
    JOIN pg_default_acl AS d ON d.defaclrole = v.relowner AND d.defaclobjtype = 'r' AND d.defaclnamespace IN (0, v.relnamespace)
    CROSS JOIN aclexplode(d.defaclacl) AS a
    UNION
    SELECT v.oid, v.relowner
    FROM views AS v
    WHERE EXISTS (
        SELECT FROM pg_default_acl AS d
        WHERE d.defaclrole = v.relowner AND d.defaclobjtype = 'r' AND d.defaclnamespace IN (0, v.relnamespace)
    ) OR (
        SELECT array_agg(g.privilege_type ORDER BY g.privilege_type)
        FROM granted AS g
        WHERE g.view = v.oid AND g.attnum = 0 AND g.grantee = v.relowner
    ) IS DISTINCT FROM (
        SELECT array_agg(a.privilege_type ORDER BY a.privilege_type)
        FROM aclexplode(acldefault('r', v.relowner)) AS a
    )
), comments (view, kind, name, classoid, objoid, objsubid, needed) AS (
    SELECT oid, 'MATERIALIZED VIEW', name, 'pg_class'::regclass, oid, 0, ARRAY[]::text[] FROM views
    UNION ALL
    SELECT oid, 'TYPE', name, 'pg_type'::regclass, reltype, 0, ARRAY[]::text[] FROM views
    UNION ALL
    SELECT v.oid, 'RULE', format('%%I ON %%s', r.rulename, v.name), 'pg_rewrite'::regclass, r.oid, 0, ARRAY[]::text[]
    FROM views AS v
    JOIN pg_rewrite AS r ON r.ev_class = v.oid
    UNION ALL
    SELECT view, 'COLUMN', format('%%s.%%I', view_name, attname), 'pg_class'::regclass, attrelid, attnum, needed FROM columns
    UNION ALL
    SELECT view, 'INDEX', name, 'pg_class'::regclass, indexrelid, 0, needed FROM indexes
    UNION ALL
    SELECT view, 'STATISTICS', name, 'pg_statistic_ext'::regclass, oid, 0, needed FROM extended_statistics
), statements (view, step, position, statement, is_create, needed) AS (
    SELECT oid, 0, 0, format('SET LOCAL ROLE %%s', owner), false, ARRAY[]::text[] FROM views
    UNION ALL
    SELECT oid, 1, 0, format('SET LOCAL search_path = %%s', path.schemas), false, '{}'
    FROM views
    CROSS JOIN (
        SELECT coalesce(string_agg(quote_ident(s.name), ', ' ORDER BY s.position), '''''')
        FROM unnest(current_schemas(false)) WITH ORDINALITY AS s (name, position)
    ) AS path (schemas)
    UNION ALL
    SELECT oid, 2, 0, format('DROP MATERIALIZED VIEW %%s', name), false, '{}' FROM views
    UNION ALL
    SELECT v.oid, 3, 0, concat_ws(
        ' ',
        'CREATE MATERIALIZED VIEW ' || v.name,
        'USING ' || (SELECT quote_ident(amname) FROM pg_am WHERE oid = v.relam AND amname <> 'heap'),
        'WITH (' || (SELECT string_agg(option, ', ' ORDER BY position) FROM options WHERE options.view = v.oid) || ')',
        'TABLESPACE ' || (SELECT quote_ident(spcname) FROM pg_tablespace WHERE oid = v.reltablespace),
        'AS'
    ), true, '{}'
    FROM views AS v
    UNION ALL
    SELECT view, 4, attnum, format('ALTER MATERIALIZED VIEW %%s ALTER COLUMN %%I %%s', view_name, attname, change), false,
        needed
    FROM columns
    CROSS JOIN LATERAL (
        SELECT format('SET STATISTICS %%s', attstattarget) WHERE attstattarget >= 0
        UNION ALL
        SELECT format('SET (%%s)', string_agg(format('%%I = %%L', o.option_name, o.option_value), ', '))
        FROM pg_options_to_table(attoptions) AS o
        HAVING count(*) > 0
        UNION ALL
        SELECT 'SET STORAGE '
            || CASE attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END
        WHERE attstorage <> typstorage
        UNION ALL
        SELECT 'SET COMPRESSION ' || CASE attcompression WHEN 'l' THEN 'lz4' ELSE 'pglz' END WHERE attcompression <> ''
    ) AS changes (change)
    UNION ALL
    SELECT view, 5, 0, pg_get_indexdef(indexrelid), false, needed FROM indexes
    UNION ALL
    SELECT x.view, 6, 0, format('ALTER INDEX %%s SET TABLESPACE %%I', x.name, s.spcname), false, x.needed
    FROM indexes AS x
    JOIN pg_tablespace AS s ON s.oid = x.reltablespace
    UNION ALL
    SELECT x.view, 6, a.attnum,
        format('ALTER INDEX %%s ALTER COLUMN %%s SET STATISTICS %%s', x.name, a.attnum, a.attstattarget), false, x.needed
    FROM indexes AS x
    JOIN pg_attribute AS a ON a.attrelid = x.indexrelid AND a.attstattarget >= 0
    UNION ALL
    SELECT view, 7, 0, format('ALTER MATERIALIZED VIEW %%s CLUSTER ON %%I', view_name, relname), false, needed
    FROM indexes
    WHERE indisclustered
    UNION ALL
    -- An index cannot be the identity, because no column of a materialized view is NOT NULL.
    SELECT oid, 7, 1, format(
        'ALTER MATERIALIZED VIEW %%s REPLICA IDENTITY %%s', name, CASE relreplident WHEN 'f' THEN 'FULL' ELSE 'NOTHING' END
    ), false, '{}'
    FROM views
    WHERE relreplident IN ('f', 'n')
    UNION ALL
    SELECT view, 8, 0, pg_get_statisticsobjdef(oid), false, needed FROM extended_statistics
    UNION ALL
    SELECT view, 9, 0, format('ALTER STATISTICS %%s SET STATISTICS %%s', name, stxstattarget), false, needed
    FROM extended_statistics
    WHERE stxstattarget >= 0
    UNION ALL
    SELECT c.view, 10, c.objsubid, format('COMMENT ON %%s %%s IS %%L', c.kind, c.name, d.description), false, c.needed
    FROM comments AS c
    JOIN pg_description AS d USING (classoid, objoid, objsubid)
    UNION ALL
    SELECT c.view, 11, c.objsubid, format('SECURITY LABEL FOR %%I ON %%s %%s IS %%L', l.provider, c.kind, c.name, l.label),
        false, c.needed
    FROM comments AS c
    JOIN pg_seclabel AS l USING (classoid, objoid, objsubid)
    UNION ALL
    SELECT o.view, 12, 0, format('ALTER %%s %%s DEPENDS ON EXTENSION %%I', o.kind, o.name, e.extname), false, o.needed
    FROM comments AS o
    JOIN pg_depend AS d ON d.classid = o.classoid AND d.objid = o.objoid AND d.deptype = 'x'
    JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND e.oid = d.refobjid
    WHERE o.objsubid = 0 AND o.classoid = 'pg_class'::regclass
    UNION ALL
    SELECT v.oid, 13, 0, format(
        'REVOKE ALL ON %%s FROM %%s', v.name,
        string_agg(CASE d.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(d.grantee)) END, ', ')
    ), false, '{}'
    FROM views AS v
    JOIN default_grantees AS d ON d.view = v.oid
    GROUP BY v.oid, v.name
    UNION ALL
    SELECT g.view, 14 + least(g.attnum, 1), g.attnum * 10000 + min(g.ordinality), format(
        'GRANT %%s ON %%s TO %%s%%s',
        string_agg(g.privilege_type || g.column_clause, ', ' ORDER BY g.privilege_type), g.view_name,
        CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END,
        CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
    ), false, g.needed
    FROM (SELECT DISTINCT ON (view, attnum, grantee, privilege_type, is_grantable) * FROM granted) AS g
    WHERE g.grantee IS DISTINCT FROM g.owner OR g.view IN (SELECT view FROM default_grantees)
    GROUP BY g.view, g.view_name, g.attnum, g.column_clause, g.grantee, g.is_grantable, g.needed
)
SELECT view, statement, is_create, needed FROM statements ORDER BY view, step, position, statement;

-- name: recreate_limits
-- What these statements cannot keep or need: view, owner, roles whose grants become those of the owner, invalid indexes,
-- statistics of other owners, objects that depend on the view, and schemas and tablespaces on which the owner lacks CREATE.
WITH RECURSIVE views AS (
    SELECT c.* FROM pg_class AS c WHERE c.oid = ANY (%(oids)s::oid[]) AND c.relkind = 'm'
), dependents (view, classid, objid) AS (
    SELECT oid, 'pg_class'::regclass::oid, oid FROM views
    UNION
    SELECT dependents.view, found.classid, found.objid
    FROM dependents
    JOIN pg_depend AS d ON d.deptype = 'n' AND (
        d.refclassid = dependents.classid AND d.refobjid = dependents.objid
        OR dependents.classid = 'pg_class'::regclass AND d.refclassid = 'pg_type'::regclass
            AND d.refobjid = (SELECT reltype FROM pg_class WHERE oid = dependents.objid)
    )
    LEFT JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
    CROSS JOIN LATERAL (
        SELECT CASE WHEN r.oid IS NULL THEN d.classid ELSE 'pg_class'::regclass END, coalesce(r.ev_class, d.objid)
    ) AS found (classid, objid)
)
SELECT
    v.oid,
    quote_ident(pg_get_userbyid(v.relowner)),
    ARRAY(
        SELECT DISTINCT quote_ident(pg_get_userbyid(a.grantor))
        FROM (SELECT v.relacl UNION ALL SELECT attacl FROM pg_attribute WHERE attrelid = v.oid) AS acls (acl)
        CROSS JOIN aclexplode(acl) AS a
        WHERE a.grantor <> v.relowner
        ORDER BY 1
    ),
    ARRAY(
        SELECT format('%%I.%%I', n.nspname, x.relname)
        FROM pg_index AS i
        JOIN pg_class AS x ON x.oid = i.indexrelid
        JOIN pg_namespace AS n ON n.oid = x.relnamespace
        WHERE i.indrelid = v.oid AND NOT i.indisvalid
        ORDER BY 1
    ),
    ARRAY(
        SELECT format('%%I.%%I', n.nspname, s.stxname)
        FROM pg_statistic_ext AS s
        JOIN pg_namespace AS n ON n.oid = s.stxnamespace
        WHERE s.stxrelid = v.oid AND s.stxowner <> v.relowner
        ORDER BY 1
    ),
    ARRAY(
        SELECT o.type || ' ' || o.identity
        FROM dependents AS d
        CROSS JOIN pg_identify_object(d.classid, d.objid, 0) AS o
        WHERE d.view = v.oid AND d.objid <> v.oid
        ORDER BY 1
    ),
    ARRAY(
        SELECT format('SCHEMA %%I', n.nspname)
        FROM pg_namespace AS n
        WHERE (n.oid = v.relnamespace OR n.oid IN (SELECT stxnamespace FROM pg_statistic_ext WHERE stxrelid = v.oid))
            AND NOT (has_schema_privilege(v.relowner, n.oid, 'USAGE') AND has_schema_privilege(v.relowner, n.oid, 'CREATE'))
        UNION ALL
        SELECT format('TABLESPACE %%I', s.spcname)
        FROM pg_tablespace AS s
        WHERE s.oid IN (
            SELECT v.reltablespace
            UNION ALL
            SELECT x.reltablespace FROM pg_index AS i JOIN pg_class AS x ON x.oid = i.indexrelid WHERE i.indrelid = v.oid
        ) AND NOT has_tablespace_privilege(v.relowner, s.oid, 'CREATE')
        ORDER BY 1
    )
FROM views AS v;

-- name: comparison_columns
-- The columns of the first temporary view for comparison.
SELECT attname::text
FROM pg_attribute
WHERE attrelid = 'pg_temp.seeder_comparison_0'::regclass AND attnum > 0;
