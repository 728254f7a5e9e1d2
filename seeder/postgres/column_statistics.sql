-- What a view looks like and what it holds. What is in braces is composed in.

-- name: set_stable_output
-- Texts that do not depend on who asks: every name with its schema, and one way of printing each value.
SELECT
    set_config('search_path', 'pg_catalog', true), set_config('datestyle', 'ISO, YMD', true),
    set_config('timezone', 'UTC', true), set_config('intervalstyle', 'iso_8601', true),
    set_config('extra_float_digits', '1', true), set_config('bytea_output', 'hex', true),
    set_config('quote_all_identifiers', 'off', true), set_config('jit', 'off', true),
    set_config('work_mem', %(memory)s, true);

-- name: begin_snapshot
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;

-- name: export_snapshot
-- What other sessions see the same by, and the instant that it is of.
SELECT pg_export_snapshot(), transaction_timestamp();

-- name: relation_kind
-- What stands under a name, and whether it was ever filled.
SELECT c.relkind::text, c.relispopulated
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(name)s;

-- name: view_definition
-- The query of a view as this server prints it, and which server that is. Printing locks everything that the query reads.
SELECT pg_get_viewdef(c.oid), current_setting('server_version_num')::integer
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(name)s;

-- name: relation_columns
-- The columns of a relation in their order; information_schema knows nothing of materialized views.
SELECT a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull
FROM pg_attribute AS a
JOIN pg_class AS c ON c.oid = a.attrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(name)s AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum;

-- name: estimated_column_statistics
-- What the server keeps from a sample of a relation, for each of its columns of which it keeps anything: the share of
-- nulls, and how many values there are, null where that is not known. After a REFRESH nobody has counted the rows (-1), while
-- what was sampled before is kept.
SELECT
    s.attname,
    s.null_frac,
    CASE WHEN s.n_distinct < 0 THEN -s.n_distinct * nullif(c.reltuples, -1) ELSE nullif(s.n_distinct, 0) END
FROM pg_stats AS s
JOIN pg_namespace AS n ON n.nspname = s.schemaname
JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = s.tablename
WHERE s.schemaname = %(schema)s AND s.tablename = %(name)s AND NOT s.inherited;

-- name: sampled_groups
-- The most frequent values of a column as the sample has them, and, as if nobody had them, some of the others in order,
-- with the least and the greatest. unnest() would take a composite apart.
WITH sample AS MATERIALIZED (
    SELECT
        s.most_common_vals::text::{type}[] AS frequent,
        s.most_common_freqs AS shares,
        s.histogram_bounds::text::{type}[] AS others
    FROM pg_stats AS s
    WHERE s.schemaname = {schema} AND s.tablename = {name} AND s.attname = {column} AND NOT s.inherited
)
SELECT frequent[i] AS value, round(shares[i]::numeric * {rows}) AS n FROM sample, generate_subscripts(frequent, 1) AS i
UNION ALL
SELECT others[i], 0 FROM sample, generate_subscripts(others, 1) AS i;

-- name: estimated_row_count
-- Null where nobody has counted yet.
SELECT nullif(c.reltuples, -1)::bigint
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(name)s;

-- name: combined_columns
-- The groups of several columns with few values each, out of the few combinations of these, which one scan finds.
WITH together AS MATERIALIZED (
    SELECT {named_columns}, count(*) AS n FROM {view} AS v GROUP BY {columns}
)
{summaries};

-- name: single_column_groups
SELECT v.{column} AS value, count(*) AS n FROM {view} AS v GROUP BY v.{column}

-- name: combined_column_groups
SELECT {column} AS value, sum(n)::bigint AS n FROM together GROUP BY {column}

-- name: column_summary
-- What the groups of equal values of one column tell. A value is null or not as a whole: by IS NULL a row of nulls would
-- be one, too.
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
-- What can be told of a type without equality.
SELECT {number}::integer, count(*), count(*) - count(v.{column}), NULL::bigint, NULL::text, NULL::text, NULL::jsonb
FROM {view} AS v

-- name: extreme_value
-- The first or the last value, for types that have an order but no min() and max(). An unqualified name would be the
-- text that is shown.
(SELECT {value_text} FROM groups WHERE value IS DISTINCT FROM NULL ORDER BY groups.value {direction} LIMIT 1)

-- name: most_frequent_values
-- The most frequent values; of equally frequent ones the first.
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

-- name: trimmed_scale
trim_scale({value})

-- name: unsigned_zero
({value} + 0)

-- name: value_as_text
-- A value as text; of a very long one the beginning, and its MD5 so that it is not taken for another one.
CASE
    WHEN length({value}::text) > 200 THEN left({value}::text, 200) || '… MD5 ' || md5({value}::text)
    ELSE {value}::text
END
