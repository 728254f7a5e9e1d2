-- What it takes to replace a table by a partitioned one of the same name. `%%` is a percent sign.

-- name: partition_column
SELECT
    format_type(a.atttypid, NULL), a.attgenerated <> '',
    c.relowner = (SELECT oid FROM pg_roles WHERE rolname = current_user), pg_get_userbyid(c.relowner)::text
FROM pg_class AS c
LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = %(column)s AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.oid = %(oid)s;

-- name: partition_obstacles
-- Properties that a partitioned table cannot have or that a copy would lose, and objects that refer to the table's OID.
WITH target AS (
    SELECT c.*, (SELECT attnum FROM pg_attribute WHERE attrelid = c.oid AND attname = %(column)s) AS key
    FROM pg_class AS c
    WHERE c.oid = %(oid)s AND c.relkind <> 'p'
)
SELECT 'it is partitioned already' FROM pg_class WHERE oid = %(oid)s AND relkind = 'p'
UNION ALL SELECT 'it is a foreign table' FROM target WHERE relkind = 'f'
UNION ALL SELECT 'it is temporary or unlogged' FROM target WHERE relpersistence <> 'p'
UNION ALL SELECT 'it is a partition' FROM target WHERE relispartition
UNION ALL SELECT 'it inherits from another table' FROM target
WHERE NOT relispartition AND EXISTS (SELECT FROM pg_inherits WHERE inhrelid = target.oid)
UNION ALL SELECT 'it is a typed table' FROM target WHERE reloftype <> 0
UNION ALL SELECT 'it has row security' FROM target WHERE relrowsecurity
UNION ALL SELECT 'it has a rule' FROM target WHERE EXISTS (SELECT FROM pg_rewrite WHERE ev_class = target.oid)
UNION ALL SELECT 'it has a replica identity' FROM target WHERE relreplident <> 'd'
UNION ALL SELECT 'its access method is not heap' FROM target JOIN pg_am AS m ON m.oid = relam WHERE m.amname <> 'heap'
UNION ALL
SELECT format('the constraint %%I is not validated', k.conname)
FROM target
JOIN pg_constraint AS k ON k.conrelid = target.oid AND NOT k.convalidated
UNION ALL
SELECT format('the constraint %%I is not inherited', k.conname)
FROM target
JOIN pg_constraint AS k ON k.conrelid = target.oid AND k.contype IN ('c', 'n') AND k.connoinherit
UNION ALL
SELECT format('the foreign key %%I refers to the table itself', k.conname)
FROM target
JOIN pg_constraint AS k ON k.conrelid = target.oid AND k.confrelid = target.oid
UNION ALL
SELECT format('the index %%I is invalid', x.relname)
FROM target
JOIN pg_index AS i ON i.indrelid = target.oid AND NOT i.indisvalid
JOIN pg_class AS x ON x.oid = i.indexrelid
UNION ALL
SELECT format('%%I is an exclusion constraint', k.conname)
FROM target
JOIN pg_index AS i ON i.indrelid = target.oid AND i.indisexclusion
JOIN pg_constraint AS k ON k.conindid = i.indexrelid AND k.contype IN ('x', 'p', 'u')
UNION ALL
SELECT format('the unique index %%I must contain the column %%I', x.relname, %(column)s)
FROM target
JOIN pg_index AS i ON i.indrelid = target.oid AND i.indisunique
JOIN pg_class AS x ON x.oid = i.indexrelid
WHERE target.key IS NOT NULL AND target.key <> ALL ((i.indkey::int2[])[0:i.indnkeyatts - 1])
UNION ALL
SELECT format('the view %%s belongs to the role %%I', v.oid::regclass, pg_get_userbyid(v.relowner))
FROM pg_class AS v
WHERE v.relkind = 'v' AND v.relowner <> (SELECT relowner FROM target) AND v.oid IN (
    SELECT w.ev_class FROM pg_depend AS d JOIN pg_rewrite AS w ON w.oid = d.objid
    WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = %(oid)s
)
UNION ALL
-- The rest refers to the OID: materialized views, functions, policies, publications, children, foreign keys.
SELECT DISTINCT CASE
    WHEN m.relkind = 'm' THEN format(
        'the materialized view %%s reads it: drop that view before, and refresh it afterwards, which creates it again',
        m.oid::regclass
    )
    ELSE pg_describe_object(d.classid, d.objid, d.objsubid) || ' depends on it'
END
FROM target
JOIN pg_depend AS d
    ON d.refclassid = 'pg_class'::regclass AND d.refobjid = target.oid
    OR d.refclassid = 'pg_type'::regclass AND d.refobjid = target.reltype
LEFT JOIN pg_rewrite AS w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid
LEFT JOIN pg_class AS m ON m.oid = w.ev_class
WHERE CASE d.classid
    WHEN 'pg_attrdef'::regclass THEN d.refclassid = 'pg_type'::regclass
    WHEN 'pg_statistic_ext'::regclass THEN FALSE
    WHEN 'pg_trigger'::regclass THEN (SELECT g.tgrelid <> target.oid FROM pg_trigger AS g WHERE g.oid = d.objid)
    WHEN 'pg_rewrite'::regclass THEN m.relkind <> 'v' OR d.refclassid = 'pg_type'::regclass
    WHEN 'pg_constraint'::regclass THEN (SELECT k.conrelid <> target.oid FROM pg_constraint AS k WHERE k.oid = d.objid)
    WHEN 'pg_class'::regclass
        THEN d.refclassid = 'pg_type'::regclass
            OR (SELECT c.relkind NOT IN ('i', 't', 'S') FROM pg_class AS c WHERE c.oid = d.objid)
    ELSE d.deptype <> 'i'
END
UNION ALL
SELECT pg_describe_object(d.classid, d.objid, d.objsubid) || ' depends on its type'
FROM target
JOIN pg_type AS t ON t.typelem = target.reltype
JOIN pg_depend AS d ON d.refclassid = 'pg_type'::regclass AND d.refobjid = t.oid
ORDER BY 1;

-- name: partition_columns
-- The columns that are copied, and settings of columns and of storage that LIKE does not copy.
SELECT
    array(
        SELECT a.attname::text FROM pg_attribute AS a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
        ORDER BY a.attnum
    ),
    array(
        SELECT format('ALTER TABLE %%s ALTER COLUMN %%I SET %%s', %(new)s, a.attname, setting)
        FROM pg_attribute AS a
        CROSS JOIN LATERAL (
            SELECT 'STATISTICS ' || a.attstattarget WHERE a.attstattarget >= 0
            UNION ALL
            SELECT format('(%%s)', string_agg(format('%%I = %%L', o.option_name, o.option_value), ', '))
            FROM pg_options_to_table(a.attoptions) AS o
            HAVING count(*) > 0
        ) AS settings (setting)
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        ORDER BY a.attnum
    ),
    (
        SELECT string_agg(format('%%s%%I = %%L', prefix, o.option_name, o.option_value), ', ')
        FROM (VALUES ('', c.reloptions), ('toast.', (SELECT reloptions FROM pg_class WHERE oid = c.reltoastrelid)))
            AS storage (prefix, options)
        CROSS JOIN LATERAL pg_options_to_table(storage.options) AS o
    ),
    (SELECT spcname::text FROM pg_tablespace WHERE oid = c.reltablespace),
    array(
        SELECT DISTINCT CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END
        FROM pg_default_acl AS d
        CROSS JOIN LATERAL aclexplode(d.defaclacl) AS g
        WHERE d.defaclobjtype = 'r' AND d.defaclrole = c.relowner AND d.defaclnamespace IN (0, c.relnamespace)
            AND g.grantee <> c.relowner
        ORDER BY 1
    )
FROM pg_class AS c
WHERE c.oid = %(oid)s;

-- name: partition_indexes
-- Indexes and foreign keys of the new table, under the names that the old ones have. Needs an empty search_path.
SELECT statement
FROM (
    SELECT x.relname AS name, step.number, step.statement
    FROM pg_index AS i
    JOIN pg_class AS x ON x.oid = i.indexrelid
    JOIN pg_namespace AS n ON n.oid = x.relnamespace
    LEFT JOIN pg_constraint AS k ON k.conindid = x.oid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u')
    CROSS JOIN LATERAL (
        SELECT beginning, beginning || format('%%s.%%I ', r.relnamespace::regnamespace, r.relname) AS full_beginning
        FROM pg_class AS r
        CROSS JOIN LATERAL format(
            'CREATE %%sINDEX %%I ON ', CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END, x.relname
        ) AS beginning
        WHERE r.oid = i.indrelid
    ) AS definition
    CROSS JOIN LATERAL (
        VALUES
            (1, format('ALTER INDEX %%I.%%I RENAME TO %%I', n.nspname, x.relname, left(x.relname, 48) || '_unpartitioned')),
            (2, CASE
                WHEN k.oid IS NOT NULL
                    THEN format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', %(new)s, k.conname, pg_get_constraintdef(k.oid))
                ELSE overlay(
                    pg_get_indexdef(x.oid) PLACING beginning || %(new)s || ' ' FROM 1 FOR length(full_beginning)
                )
            END)
    ) AS step (number, statement)
    WHERE i.indrelid = %(oid)s
    UNION ALL
    SELECT
        'zz' || conname, 3, format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', %(new)s, conname, pg_get_constraintdef(oid))
    FROM pg_constraint
    WHERE conrelid = %(oid)s AND contype = 'f'
) AS steps
ORDER BY number = 3, name, number;

-- name: partition_swap
-- What follows the exchange of the names, in order. Needs an empty search_path.
WITH target AS (SELECT * FROM pg_class WHERE oid = %(oid)s),
own_comments (statement, classoid, objoid) AS (
    SELECT 'TABLE ' || %(table)s, 'pg_class'::regclass, oid FROM target
    UNION ALL
    SELECT format('CONSTRAINT %%I ON %%s', k.conname, %(table)s), 'pg_constraint'::regclass, k.oid
    FROM pg_constraint AS k
    WHERE k.conrelid = %(oid)s AND k.contype IN ('p', 'u', 'f')
    UNION ALL
    SELECT format('TRIGGER %%I ON %%s', g.tgname, %(table)s), 'pg_trigger'::regclass, g.oid
    FROM pg_trigger AS g
    WHERE g.tgrelid = %(oid)s
    UNION ALL
    SELECT format('INDEX %%I.%%I', n.nspname, x.relname), 'pg_class'::regclass, x.oid
    FROM pg_index AS i
    JOIN pg_class AS x ON x.oid = i.indexrelid
    JOIN pg_namespace AS n ON n.oid = x.relnamespace
    WHERE i.indrelid = %(oid)s
    UNION ALL
    SELECT format('STATISTICS %%I.%%I', n.nspname, s.stxname), 'pg_statistic_ext'::regclass, s.oid
    FROM pg_statistic_ext AS s
    JOIN pg_namespace AS n ON n.oid = s.stxnamespace
    WHERE s.stxrelid = %(oid)s
),
grants (privileges, acl) AS (
    SELECT '', relacl FROM target
    UNION ALL
    SELECT format(' (%%I)', attname), attacl FROM pg_attribute WHERE attrelid = %(oid)s AND attacl IS NOT NULL
)
SELECT statement
FROM (
    SELECT 1 AS phase, k.conname::text AS name, format('ALTER TABLE %%s DROP CONSTRAINT %%I', %(old)s, k.conname) AS statement
    FROM pg_constraint AS k
    WHERE k.conrelid = %(oid)s AND k.contype = 'f'
    UNION ALL
    SELECT 2, s.relname, format('ALTER SEQUENCE %%I.%%I OWNED BY %%s.%%I', n.nspname, s.relname, %(table)s, a.attname)
    FROM pg_depend AS d
    JOIN pg_class AS s ON s.oid = d.objid AND s.relkind = 'S'
    JOIN pg_namespace AS n ON n.oid = s.relnamespace
    JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = %(oid)s
        AND d.deptype = 'a'
    UNION ALL
    SELECT 2, a.attname, format(
        'SELECT pg_catalog.setval(pg_catalog.pg_get_serial_sequence(%%L, %%L), last_value, is_called) FROM %%s',
        %(table)s, a.attname, pg_get_serial_sequence(%(table)s, a.attname)
    )
    FROM pg_attribute AS a
    WHERE a.attrelid = %(oid)s AND a.attidentity <> ''
    UNION ALL
    SELECT 3 + step.number / 10.0, s.stxname, step.statement
    FROM pg_statistic_ext AS s
    JOIN pg_namespace AS n ON n.oid = s.stxnamespace
    CROSS JOIN LATERAL unnest(ARRAY[
        format('ALTER STATISTICS %%I.%%I RENAME TO %%I', n.nspname, s.stxname, left(s.stxname, 48) || '_unpartitioned'),
        pg_get_statisticsobjdef(s.oid)
    ]) WITH ORDINALITY AS step (statement, number)
    WHERE s.stxrelid = %(oid)s
    UNION ALL
    SELECT 4 + step.number / 10.0, g.tgname, step.statement
    FROM pg_trigger AS g
    CROSS JOIN LATERAL unnest(ARRAY[
        pg_get_triggerdef(g.oid),
        CASE g.tgenabled
            WHEN 'D' THEN format('ALTER TABLE %%s DISABLE TRIGGER %%I', %(table)s, g.tgname)
            WHEN 'R' THEN format('ALTER TABLE %%s ENABLE REPLICA TRIGGER %%I', %(table)s, g.tgname)
            WHEN 'A' THEN format('ALTER TABLE %%s ENABLE ALWAYS TRIGGER %%I', %(table)s, g.tgname)
        END
    ]) WITH ORDINALITY AS step (statement, number)
    WHERE g.tgrelid = %(oid)s AND NOT g.tgisinternal AND step.statement IS NOT NULL
    UNION ALL
    SELECT 5, statement, format('COMMENT ON %%s IS %%L', statement, d.description)
    FROM own_comments
    JOIN pg_description AS d ON d.classoid = own_comments.classoid AND d.objoid = own_comments.objoid AND d.objsubid = 0
    UNION ALL
    SELECT 6, '', format('REVOKE ALL ON TABLE %%s FROM %%I', %(table)s, pg_get_userbyid(relowner))
    FROM target
    WHERE relacl IS NOT NULL
    UNION ALL
    SELECT 7, '', format(
        'GRANT %%s%%s ON TABLE %%s TO %%s%%s', e.privilege_type, privileges, %(table)s,
        CASE e.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(e.grantee)) END,
        CASE WHEN e.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
    )
    FROM grants
    CROSS JOIN LATERAL aclexplode(grants.acl) AS e
    UNION ALL
    SELECT 8, v.relname, format(
        'CREATE OR REPLACE VIEW %%I.%%I%%s AS%%s', n.nspname, v.relname,
        ' WITH (' || (
            SELECT string_agg(format('%%I = %%L', o.option_name, o.option_value), ', ')
            FROM pg_options_to_table(v.reloptions) AS o
        ) || ')',
        rtrim(pg_get_viewdef(v.oid), ';')
    )
    FROM pg_class AS v
    JOIN pg_namespace AS n ON n.oid = v.relnamespace
    WHERE v.relkind = 'v' AND v.oid IN (
        SELECT w.ev_class FROM pg_depend AS d JOIN pg_rewrite AS w ON w.oid = d.objid
        WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = %(oid)s
    )
) AS steps
ORDER BY phase, name;
