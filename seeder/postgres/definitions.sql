-- Definitions of views: comparison with queries.

-- name: definition_sources
-- For each wanted view, a hash of the names that decide what its query means: names and columns of the relations that it
-- uses, other relations of the same names, and the functions, operators, casts and types that PostgreSQL does not define
-- itself. An equal query matches an unchanged definition as long as the hash is equal. The planner expects few rows, so a
-- relation carries the views that use it. A join of both would compare each pair.
WITH used AS (
    SELECT DISTINCT r.ev_class AS view, d.refobjid AS relation
    FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS wanted (nspname, relname)
    JOIN pg_namespace AS n ON n.nspname = wanted.nspname
    JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = wanted.relname
    JOIN pg_rewrite AS r ON r.ev_class = c.oid
    JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
), relations AS MATERIALIZED (
    SELECT c.oid, each.views, md5(concat_ws(' ', n.nspname, c.relname, string_agg(
        concat_ws(' ', quote_ident(a.attname), a.atttypid, a.atttypmod, a.attcollation), ',' ORDER BY a.attnum
    ), (
        SELECT string_agg(other.oid::text, ' ' ORDER BY other.oid)
        FROM pg_class AS other
        WHERE other.relname = c.relname AND other.relkind IN ('r', 'p', 'v', 'm', 'f')
    ))) AS state
    FROM (SELECT relation, array_agg(view) AS views FROM used GROUP BY relation) AS each
    JOIN pg_class AS c ON c.oid = each.relation
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    GROUP BY c.oid, c.relname, n.nspname, each.views
), names AS MATERIALIZED (
    SELECT md5(concat_ws(' ',
        current_schemas(false),
        (SELECT string_agg(concat_ws(' ', oid, proname, pronamespace), ',' ORDER BY oid) FROM pg_proc WHERE oid >= 16384),
        (SELECT string_agg(concat_ws(' ', oid, oprname, oprnamespace), ',' ORDER BY oid) FROM pg_operator
            WHERE oid >= 16384),
        (SELECT string_agg(concat_ws(' ', oid, castcontext), ',' ORDER BY oid) FROM pg_cast WHERE oid >= 16384),
        (SELECT string_agg(concat_ws(' ', oid, typname, typnamespace), ',' ORDER BY oid) FROM pg_type
            WHERE oid >= 16384 AND typtype NOT IN ('c', 'p') AND typcategory <> 'A')
    )) AS state
)
SELECT view, md5(names.state || string_agg(relations.state, '' ORDER BY relations.oid))
FROM relations
CROSS JOIN unnest(relations.views) AS view
CROSS JOIN names
GROUP BY view, names.state;

-- name: compare_definitions
-- The position of each wanted view, whether its definition differs from that of the temporary view with this position in
-- its name, and the column names of the view if they alone may make the difference: the view was created with a list of
-- column names, or they were renamed. A materialized view's rule keeps the names that the query gives (resname). One session
-- prints both definitions, because the text depends on the server's version and on search_path.
SELECT
    wanted.position - 1,
    pg_get_viewdef(c.oid) IS DISTINCT FROM pg_get_viewdef(comparison.oid),
    (
        SELECT array_agg(a.attname::text ORDER BY a.attnum)
        FROM pg_attribute AS a
        WHERE a.attrelid = c.oid AND a.attnum > 0
        HAVING array_agg(a.attname ORDER BY a.attnum) <> (
            SELECT array_agg(b.attname ORDER BY b.attnum)
            FROM pg_attribute AS b WHERE b.attrelid = comparison.oid AND b.attnum > 0
        )
        AND count(*) = (SELECT relnatts FROM pg_class WHERE oid = comparison.oid)
        AND (
            SELECT count(DISTINCT given.names) = 1
            FROM pg_rewrite AS r
            CROSS JOIN LATERAL (
                SELECT array_agg(found.name ORDER BY found.position) AS names
                FROM regexp_matches(r.ev_action::text, ':resname ((?:\\.|\S)+)', 'g')
                    WITH ORDINALITY AS found (name, position)
            ) AS given
            WHERE r.ev_class IN (c.oid, comparison.oid)
        )
    ) AS column_names
FROM unnest(%(schemas)s::text[], %(names)s::text[]) WITH ORDINALITY AS wanted (nspname, relname, position)
JOIN pg_namespace AS n ON n.nspname = wanted.nspname
JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = wanted.relname AND c.relkind IN ('m', 'v')
CROSS JOIN LATERAL (
    SELECT format('pg_temp.seeder_comparison_%%s', wanted.position - 1)::regclass AS oid
) AS comparison;
