-- Names that mean something else in another search_path.

-- name: overloads_in_other_schemas
-- The operators and functions outside PostgreSQL's schemas that functions seem to use, although PostgreSQL has some of the
-- same name: function, label, quoted schema. Also operators of which it has none. The types that a function can use are
-- those of its arguments and results, of the columns, types and functions that its body names, and those to which they
-- can be cast implicitly. An operator of other types is not reported.
WITH RECURSIVE named (function, schema, name) AS (
    SELECT * FROM unnest(%(name_oids)s::oid[], %(name_schemas)s::text[], %(names)s::text[])
), words (function, word) AS (
    SELECT * FROM unnest(%(word_oids)s::oid[], %(words)s::text[])
), own_namespaces AS (
    SELECT oid, nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
), visible (function, type) AS (
    SELECT p.oid, arguments.type
    FROM pg_proc AS p
    CROSS JOIN unnest(coalesce(p.proallargtypes, p.proargtypes::oid[]) || p.prorettype) AS arguments (type)
    WHERE p.oid = ANY (%(function_oids)s::oid[])
    UNION
    SELECT named.function, found.type
    FROM named
    JOIN own_namespaces AS n ON named.schema IS NULL OR n.nspname = named.schema
    CROSS JOIN LATERAL (
        SELECT reltype FROM pg_class WHERE relnamespace = n.oid AND relname = named.name AND reltype <> 0
        UNION ALL
        SELECT oid FROM pg_type WHERE typnamespace = n.oid AND typname = named.name
        UNION ALL
        SELECT results.type
        FROM pg_proc AS p
        CROSS JOIN unnest(coalesce(p.proallargtypes, '{}') || p.prorettype) AS results (type)
        WHERE p.pronamespace = n.oid AND p.proname = named.name
    ) AS found (type)
    UNION
    SELECT visible.function, further.type
    FROM visible
    JOIN pg_type AS t ON t.oid = visible.type
    CROSS JOIN LATERAL (
        SELECT t.typbasetype WHERE t.typtype = 'd'
        UNION ALL
        SELECT t.typelem WHERE t.typelem <> 0
        UNION ALL
        SELECT a.atttypid
        FROM pg_attribute AS a
        JOIN words ON words.function = visible.function AND words.word IN (a.attname, 'natural')
        WHERE a.attrelid = t.typrelid AND t.typrelid <> 0 AND a.attnum > 0 AND NOT a.attisdropped
        UNION ALL
        SELECT casttarget FROM pg_cast WHERE castsource = t.oid AND castcontext = 'i'
    ) AS further (type)
), candidates (function, label, namespace, types, is_new) AS (
    SELECT used.function, 'operator ' || o.oprname, o.oprnamespace, ARRAY[o.oprleft, o.oprright],
        NOT EXISTS (SELECT FROM pg_operator AS b WHERE b.oprname = o.oprname AND b.oprnamespace = 'pg_catalog'::regnamespace)
    FROM unnest(%(operator_oids)s::oid[], %(operators)s::text[]) AS used (function, name)
    JOIN pg_operator AS o ON o.oprname = used.name
    WHERE NOT EXISTS (
        SELECT FROM pg_operator AS b
        WHERE b.oprname = o.oprname AND b.oprnamespace = 'pg_catalog'::regnamespace
            AND (b.oprleft, b.oprright) = (o.oprleft, o.oprright)
    )
    UNION
    SELECT named.function, p.proname::text, p.pronamespace, p.proargtypes::oid[], false
    FROM named
    JOIN pg_proc AS p ON p.proname = named.name
    WHERE named.schema IS NULL
        AND EXISTS (SELECT FROM pg_proc AS b WHERE b.proname = p.proname AND b.pronamespace = 'pg_catalog'::regnamespace)
        AND NOT EXISTS (
            SELECT FROM pg_proc AS b
            WHERE b.proname = p.proname AND b.pronamespace = 'pg_catalog'::regnamespace AND b.proargtypes = p.proargtypes
        )
)
SELECT DISTINCT c.function, c.label, quote_ident(n.nspname), array_position(current_schemas(false), n.nspname) AS position
FROM candidates AS c
JOIN own_namespaces AS n ON n.oid = c.namespace
CROSS JOIN LATERAL (
    -- One type that is not PostgreSQL's own is enough, as the other operand can be a literal.
    SELECT coalesce(bool_or(own.is_visible) FILTER (WHERE NOT own.is_builtin), bool_and(own.is_visible), false)
    FROM (
        SELECT t.typnamespace = 'pg_catalog'::regnamespace, t.typtype = 'p' OR EXISTS (
            SELECT FROM visible WHERE visible.function = c.function AND visible.type = t.oid
        )
        FROM unnest(c.types) AS operand (type)
        JOIN pg_type AS t ON t.oid = operand.type
    ) AS own (is_builtin, is_visible)
) AS operands (are_visible)
WHERE c.is_new OR operands.are_visible
ORDER BY c.function, position, 3, c.label;

-- name: is_found_unqualified
-- Whether search_path finds a relation. Django would list all relations of the database.
SELECT to_regclass(quote_ident(%(name)s)) IS NOT NULL;
