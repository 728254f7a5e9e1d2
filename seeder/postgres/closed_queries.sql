-- Facts that decide whether the contents of a view follow from the rows that it reads: `seeder.domain.closed_queries`.

-- name: query_facts
-- The relations, functions and types that the queries of the wanted materialized views use: directly, through plain views,
-- inheritance, virtual columns and constraints of domains. pg_depend omits what belongs to the server, so this reads the
-- stored trees, whose fields that end in `func`, `op`, `type` or the like have OIDs. Only a CoerceViaIO node has a
-- `resulttype` before a `resultcollid`. A view that exists also has a row without a fact. Views in `pg_temp` are plain.
WITH RECURSIVE wanted AS (
    SELECT DISTINCT c.oid, v.nspname, c.relname
    FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS v (nspname, relname)
    JOIN pg_namespace AS n ON n.nspname = v.nspname OR v.nspname = 'pg_temp' AND n.oid = pg_my_temp_schema()
    JOIN pg_class AS c
        ON c.relnamespace = n.oid AND c.relname = v.relname AND c.relkind = CASE v.nspname WHEN 'pg_temp' THEN 'v' ELSE 'm' END
), used (root, classid, objid) AS (
    SELECT oid, 'pg_class'::regclass::oid, oid FROM wanted
    UNION
    SELECT used.root, step.classid, step.objid
    FROM used
    CROSS JOIN LATERAL (
        SELECT d.refclassid, d.refobjid
        FROM pg_rewrite AS r
        JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
        WHERE used.classid = 'pg_class'::regclass AND r.ev_class = used.objid AND r.ev_type = '1'
            AND (used.objid = used.root OR EXISTS (SELECT FROM pg_class WHERE oid = used.objid AND relkind = 'v'))
        UNION ALL
        SELECT 'pg_class'::regclass, i.inhrelid
        FROM pg_inherits AS i
        WHERE used.classid = 'pg_class'::regclass AND i.inhparent = used.objid
        UNION ALL
        SELECT d.refclassid, d.refobjid
        FROM pg_depend AS d
        WHERE used.classid = 'pg_type'::regclass AND d.classid = used.classid AND d.objid = used.objid
    ) AS step (classid, objid)
    WHERE step.classid IN ('pg_class'::regclass, 'pg_type'::regclass)
), objects AS MATERIALIZED (
    SELECT DISTINCT classid, objid, objid = root AS is_root FROM used
), relations AS MATERIALIZED (
    SELECT o.*, c.relkind, am.amname, c.relrowsecurity, format('%%I.%%I', n.nspname, c.relname) AS name
    FROM objects AS o
    JOIN pg_class AS c ON c.oid = o.objid AND o.classid = 'pg_class'::regclass
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    LEFT JOIN pg_am AS am ON am.oid = c.relam
), trees (classid, objid, is_root, tree) AS MATERIALIZED (
    SELECT x.classid, x.objid, x.is_root, r.ev_action::text
    FROM relations AS x
    JOIN pg_rewrite AS r ON r.ev_class = x.objid AND r.ev_type = '1' AND (x.is_root OR x.relkind = 'v')
    UNION ALL
    SELECT x.classid, x.objid, x.is_root, d.adbin::text
    FROM relations AS x
    JOIN pg_attribute AS a ON a.attrelid = x.objid AND a.attgenerated = 'v'
    JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    UNION ALL
    SELECT o.*, k.conbin::text
    FROM objects AS o
    JOIN pg_constraint AS k ON k.contypid = o.objid AND o.classid = 'pg_type'::regclass AND k.conbin IS NOT NULL
), fields AS MATERIALIZED (
    -- A regular expression over the tree would take three times as long.
    SELECT DISTINCT t.classid, t.objid, t.is_root, f.kind, found[1]::oid AS value
    FROM trees AS t
    CROSS JOIN unnest(string_to_array(t.tree, ' :')) AS one (field)
    CROSS JOIN LATERAL (SELECT split_part(one.field, ' ', 1) OFFSET 0) AS n (name)
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN right(name, 2) = 'op' OR right(name, 4) = 'opno' OR right(name, 5) = 'opnos' THEN 'operator'
            WHEN right(name, 4) = 'type' OR right(name, 5) = 'types' THEN 'type'
            WHEN right(name, 5) = 'relid' THEN 'relation'
            WHEN right(name, 4) IN ('func', 'Func') OR right(name, 6) = 'funcid' OR right(name, 5) = 'fnoid' THEN 'function'
        END
    ) AS f (kind)
    CROSS JOIN regexp_matches(substring(one.field FROM '^\w+ (?:\(o )?([0-9][0-9 ]*)'), '[0-9]+', 'g') AS found
    WHERE f.kind IS NOT NULL
), functions AS MATERIALIZED (
    SELECT classid, objid, is_root, value FROM fields WHERE kind = 'function'
    UNION
    SELECT f.classid, f.objid, f.is_root, o.oprcode::oid
    FROM fields AS f
    JOIN pg_operator AS o ON o.oid = f.value AND f.kind = 'operator'
), types (classid, objid, is_root, value) AS (
    SELECT classid, objid, is_root, value FROM fields WHERE kind = 'type'
    UNION
    SELECT types.classid, types.objid, types.is_root, part.oid
    FROM types
    JOIN pg_type AS t ON t.oid = types.value
    CROSS JOIN LATERAL (
        SELECT t.typelem WHERE t.typcategory = 'A'
        UNION ALL
        SELECT t.typbasetype WHERE t.typtype = 'd'
        UNION ALL
        SELECT a.atttypid
        FROM pg_attribute AS a
        WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
    ) AS part (oid)
), facts (classid, objid, is_root, kind, subject, property) AS MATERIALIZED (
    SELECT classid, objid, is_root, NULL, NULL, NULL FROM objects WHERE is_root
    UNION ALL
    SELECT classid, objid, is_root, 'relation', name, relkind::text FROM relations
    UNION ALL
    SELECT classid, objid, is_root, 'access_method', name, amname FROM relations WHERE NOT is_root AND amname IS NOT NULL
    UNION ALL
    SELECT classid, objid, is_root, 'row_security', name, NULL FROM relations WHERE relrowsecurity
    UNION ALL
    SELECT f.classid, f.objid, f.is_root, 'catalog', c.relname::text, NULL
    FROM fields AS f
    JOIN pg_class AS c ON c.oid = f.value AND f.kind = 'relation' AND c.oid < 16384
    UNION ALL
    SELECT f.classid, f.objid, f.is_root, 'function', CASE WHEN p.oid < 16384 THEN
        format('%%s(%%s)', p.proname, array_to_string(ARRAY(
            SELECT t.typname
            FROM unnest(p.proargtypes) WITH ORDINALITY AS a (oid, position)
            JOIN pg_type AS t USING (oid)
            ORDER BY a.position
        ), ','))
    ELSE p.oid::regprocedure::text END, CASE WHEN p.oid < 16384 THEN p.provolatile::text END
    FROM functions AS f
    JOIN pg_proc AS p ON p.oid = f.value
    UNION ALL
    SELECT DISTINCT t.classid, t.objid, t.is_root, 'node', found[1], NULL
    FROM trees AS t
    CROSS JOIN regexp_matches(t.tree, '\{([A-Z]+)\M', 'g') AS found
    UNION ALL
    SELECT DISTINCT t.classid, t.objid, t.is_root, 'clause', CASE found[1]
        WHEN 'limitCount {' THEN 'LIMIT' WHEN 'limitOffset {' THEN 'OFFSET' WHEN 'hasDistinctOn true' THEN 'DISTINCT ON'
        WHEN 'subLinkType 6' THEN 'ARRAY (SELECT ...)' ELSE 'a window frame of ROWS'
    END, NULL
    FROM trees AS t
    CROSS JOIN regexp_matches(
        t.tree, ':((?:limitCount|limitOffset) \{|hasDistinctOn true|subLinkType 6|frameOptions [0-9]+)', 'g'
    ) AS found
    WHERE found[1] !~ '^frame' OR substring(found[1] FROM '[0-9]+')::integer & 4 <> 0  -- FRAMEOPTION_ROWS
    UNION ALL
    SELECT t.classid, t.objid, t.is_root, 'text_conversion', coalesce(e.typname, y.typname)::text,
        coalesce(e.typtype, y.typtype)::text
    FROM trees AS t
    CROSS JOIN regexp_matches(t.tree, ':resulttype (\d+) :resultcollid', 'g') AS found
    JOIN pg_type AS y ON y.oid = found[1]::oid
    LEFT JOIN pg_type AS e ON e.oid = y.typelem AND y.typcategory = 'A'
    UNION ALL
    SELECT x.classid, x.objid, x.is_root, 'type', format_type(t.oid, NULL), CASE WHEN t.oid >= 16384 THEN t.typtype::text END
    FROM types AS x
    JOIN pg_type AS t ON t.oid = x.value
    WHERE t.typcategory <> 'A'
        AND (t.oid >= 16384 OR t.typname LIKE 'reg%%' AND t.typname NOT IN ('regconfig', 'regdictionary'))
)
SELECT DISTINCT w.nspname::text, w.relname::text, f.kind, f.subject, f.property
FROM facts AS f
JOIN used AS u ON u.classid = f.classid AND u.objid = f.objid AND f.is_root = (u.objid = u.root)
JOIN wanted AS w ON w.oid = u.root;
