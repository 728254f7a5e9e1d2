-- Totals of runs.

-- name: totals_of_agencies
-- Totals of finished runs over the manifests of some agencies. A run of many agencies has a large document.
SELECT
    r.run_id, coalesce(sum((counted.value ->> 'manifests')::integer), 0),
    coalesce(sum((counted.value ->> 'succeeded')::integer), 0), coalesce(sum((counted.value ->> 'failed')::integer), 0),
    coalesce(sum((counted.value ->> 'held')::integer), 0), coalesce(sum((counted.value ->> 'interrupted')::integer), 0)
FROM reporting.seeder_run AS r
CROSS JOIN LATERAL jsonb_each(r.agencies) AS counted (slug, value)
WHERE r.run_id = ANY (%(run_ids)s::text[]) AND counted.slug = ANY (%(agencies)s::text[])
GROUP BY r.run_id;

-- name: counts_of_runs
-- How the manifests of each agency ended in runs. A held one also failed; an interrupted one did not. The reasons of failed
-- ones are looked up one by one. A join would read the metrics of all runs.
SELECT
    h.run_id, h.agency_slug, count(*) AS manifests,
    count(*) FILTER (WHERE h.status = 'success') AS succeeded,
    count(*) FILTER (WHERE h.status = 'error' AND NOT starts_with(coalesce(h.errors, ''), 'interrupted:')) AS failed,
    count(*) FILTER (
        WHERE h.status = 'error' AND NOT starts_with(coalesce(h.errors, ''), 'interrupted:') AND (
            SELECT m.reason FROM {metrics} AS m WHERE m.history_id = h.id
        ) = ANY (%(held)s::text[])
    ) AS held,
    count(*) FILTER (WHERE h.status = 'error' AND starts_with(coalesce(h.errors, ''), 'interrupted:')) AS interrupted,
    count(*) FILTER (WHERE h.status NOT IN ('success', 'error')) AS open
FROM reporting.seeder_run_history AS h
WHERE h.run_id = ANY (%(runs)s::text[]) AND (%(agencies)s::text[] IS NULL OR h.agency_slug = ANY (%(agencies)s::text[]))
GROUP BY h.run_id, h.agency_slug
