-- Totals of runs.

-- name: totals_of_agencies
-- Totals of finished runs over the manifests of some agencies. A run of many agencies has a large document.
SELECT
    r.run_id, coalesce(sum((counted.value ->> 'manifests')::integer), 0),
    coalesce(sum((counted.value ->> 'succeeded')::integer), 0), coalesce(sum((counted.value ->> 'failed')::integer), 0)
FROM reporting.seeder_run AS r
CROSS JOIN LATERAL jsonb_each(r.agencies) AS counted (slug, value)
WHERE r.run_id = ANY (%(run_ids)s::text[]) AND counted.slug = ANY (%(agencies)s::text[])
GROUP BY r.run_id;
