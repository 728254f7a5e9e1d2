-- The definition of a view and the statistics of its columns. Braces are filled in by the code.

-- name: set_stable_output
-- Output that does not depend on the session: names with their schemas, and one format for each value.
SELECT
    set_config('search_path', 'pg_catalog', true), set_config('datestyle', 'ISO, YMD', true),
    set_config('timezone', 'UTC', true), set_config('intervalstyle', 'iso_8601', true),
    set_config('extra_float_digits', '1', true), set_config('bytea_output', 'hex', true),
    set_config('array_nulls', 'on', true),
    set_config('quote_all_identifiers', 'off', true), set_config('jit', 'off', true);

-- name: limit_memory
-- Limit the server's memory for a statement that groups values and materializes the groups. A seventh of it is work_mem, for
-- a sort and for the groups, four are for a hash table, and the rest is for the processes. Parallel workers share it.
SELECT
    set_config('work_mem', greatest(64, %(memory_kb)s / 7 / CASE WHEN %(parallel_workers)s::text IS NULL
        THEN 1 + current_setting('max_parallel_workers_per_gather')::integer ELSE 1 END) || 'kB', true),
    set_config('hash_mem_multiplier', '4', true);

-- name: export_snapshot
SELECT pg_export_snapshot(), transaction_timestamp();

-- name: replaced_view
-- Returns a row if a view of this snapshot no longer has its name. Rows of catalogs are those of the snapshot, but a name
-- means the current relation.
SELECT 1
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(name)s
    AND c.oid IS DISTINCT FROM to_regclass(format('%%I.%%I', n.nspname, c.relname));

-- name: view_definition
SELECT definition FROM pg_matviews WHERE schemaname = %(schema)s AND matviewname = %(name)s;

-- name: column_types
-- The columns of a view with their types, of domains the base types, and whether pg_catalog has min() and max() for that very
-- type (for varchar, text). Others would be found by a cast, such as those of text for citext, and have another order.
WITH RECURSIVE base (attnum, name, type, modifier) AS (
    SELECT a.attnum, a.attname, a.atttypid, a.atttypmod
    FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE n.nspname = %(schema)s AND c.relname = %(name)s
    UNION ALL
    SELECT base.attnum, base.name, t.typbasetype, t.typtypmod
    FROM base
    JOIN pg_type AS t ON t.oid = base.type AND t.typtype = 'd'
)
SELECT base.name::text, format_type(base.type, base.modifier) AS base_type, EXISTS (
    SELECT FROM pg_proc AS p
    WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proname = 'min' AND p.prokind = 'a'
        AND p.proargtypes[0] = CASE base.type WHEN 'varchar'::regtype THEN 'text'::regtype ELSE base.type END
) AS has_minimum, t.typbyval AS is_by_value
FROM base
JOIN pg_type AS t ON t.oid = base.type AND t.typtype <> 'd'
ORDER BY base.attnum;

-- name: estimated_column_statistics
-- The number of rows, and for each analyzed column the share of nulls and the number of distinct values. After a REFRESH the
-- number of rows is unknown (-1) until ANALYZE.
SELECT
    nullif(c.reltuples, -1)::bigint,
    s.attname,
    s.null_frac,
    CASE WHEN s.n_distinct < 0 THEN -s.n_distinct * nullif(c.reltuples, -1) ELSE nullif(s.n_distinct, 0) END
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_stats AS s ON s.schemaname = n.nspname AND s.tablename = c.relname AND NOT s.inherited
WHERE n.nspname = %(schema)s AND c.relname = %(name)s;

-- name: sampled_groups
-- The most frequent values of a column with their estimated counts, and the bounds of its histogram with the count 0. The
-- first part is empty, and gives the values the collation of the column. unnest() would expand composites.
WITH sample AS MATERIALIZED (
    SELECT
        s.most_common_vals::text::{list_type}[] AS frequent,
        s.most_common_freqs AS shares,
        s.histogram_bounds::text::{list_type}[] AS bounds
    FROM pg_stats AS s
    WHERE s.schemaname = {schema} AND s.tablename = {name} AND s.attname = {column} AND NOT s.inherited
)
SELECT v.{column_name} AS value, 0::numeric AS n FROM {view} AS v WHERE false
UNION ALL
SELECT frequent[i]::{type}, round(shares[i]::numeric * {rows}) FROM sample, generate_subscripts(frequent, 1) AS i
UNION ALL
SELECT bounds[i]::{type}, 0 FROM sample, generate_subscripts(bounds, 1) AS i

-- name: combined_columns
-- Groups of several columns with few values each. One scan finds their combinations, which are few as well.
WITH combinations AS MATERIALIZED (
    SELECT {named_columns}, count(*) AS n FROM {view} AS v GROUP BY {columns}
)
{summaries};

-- name: single_column_groups
SELECT v.{column} AS value, count(*) AS n FROM {view} AS v GROUP BY v.{column}

-- name: sorted_column_groups
-- The same for numbers and times with many values. PostgreSQL sorts these as bare values, which is faster than a hash table.
SELECT value, count(*) AS n FROM (SELECT v.{column} AS value FROM {view} AS v ORDER BY v.{column}) AS sorted GROUP BY value

-- name: combined_column_groups
SELECT {column} AS value, sum(n)::bigint AS n FROM combinations GROUP BY {column}

-- name: column_summary
-- IS NULL would also be true for a row of nulls.
(
    WITH groups AS ({groups})
    SELECT
        {number}::integer,
        coalesce(sum(n), 0)::bigint,
        coalesce(sum(n) FILTER (WHERE value IS NOT DISTINCT FROM NULL), 0)::bigint,
        count(value)::bigint,
        {minimum},
        {maximum},
        {top_values}
    FROM groups
)

-- name: summary_without_equality
SELECT {number}::integer, count(*), count(*) - count(v.{column}), NULL::bigint, NULL::text, NULL::text, NULL::jsonb
FROM {view} AS v

-- name: extreme_value
-- By the type's default order. The unqualified name would be the text.
(SELECT {value_text} FROM groups WHERE value IS DISTINCT FROM NULL ORDER BY groups.value {direction} LIMIT 1)

-- name: most_frequent_values
(
    SELECT coalesce(jsonb_agg(jsonb_build_array(value_text, n) ORDER BY n DESC, value_text COLLATE "C"), '[]')
    FROM (
        SELECT {value_text} AS value_text, n
        FROM groups
        WHERE value IS DISTINCT FROM NULL
        ORDER BY n DESC, {order}
        LIMIT {max_values}
    ) AS most_frequent
)

-- name: value_as_text
-- Long values are shortened, with their MD5 to tell them apart.
CASE WHEN length({text}) > 200 THEN left({text}, 200) || '... MD5 ' || md5({text}) ELSE {text} END
