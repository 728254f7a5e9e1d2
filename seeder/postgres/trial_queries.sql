-- Refreshes on trial. Rows are compared as text, because some types have no equality.

-- name: limit_lock_waits
SELECT set_config('lock_timeout', %(timeout)s, true);

-- name: create_old_rows
CREATE TEMPORARY TABLE seeder_old_rows ON COMMIT DROP AS SELECT (old_view.*)::text AS old_row FROM {view} AS old_view;

-- name: create_no_old_rows
CREATE TEMPORARY TABLE seeder_old_rows (old_row text) ON COMMIT DROP;

-- name: compare_rows
-- Rows before and after, and how many are only in the new or only in the old ones. Equal rows count as often as they occur.
SELECT
    coalesce(sum(old_count), 0)::bigint AS before,
    coalesce(sum(new_count), 0)::bigint AS after,
    coalesce(sum(greatest(new_count - old_count, 0)), 0)::bigint AS added,
    coalesce(sum(greatest(old_count - new_count, 0)), 0)::bigint AS removed
FROM (
    SELECT count(*) FILTER (WHERE NOT is_new) AS old_count, count(*) FILTER (WHERE is_new) AS new_count
    FROM (
        SELECT old_row AS row_text, false AS is_new FROM pg_temp.seeder_old_rows
        UNION ALL
        SELECT (new_view.*)::text, true FROM {view} AS new_view
    ) AS both_states
    GROUP BY row_text COLLATE "C"
) AS counted;

-- name: drop_old_rows
DROP TABLE pg_temp.seeder_old_rows;
