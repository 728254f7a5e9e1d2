-- Choices of the filters of lists. None reads all rows of load_log.

-- name: known_sources
-- Each source is found by one look-up in the index on source.
WITH RECURSIVE known AS (
    SELECT min(source) AS value FROM load_log
    UNION ALL
    SELECT (SELECT min(source) FROM load_log WHERE source > known.value) FROM known WHERE known.value IS NOT NULL
)
SELECT value FROM known WHERE value IS NOT NULL LIMIT %(limit)s;

-- name: known_targets
WITH RECURSIVE known AS (
    SELECT min(target) AS value FROM load_log
    UNION ALL
    SELECT (SELECT min(target) FROM load_log WHERE target > known.value) FROM known WHERE known.value IS NOT NULL
)
SELECT value FROM known WHERE value IS NOT NULL LIMIT %(limit)s;

-- name: known_problems
-- Columns and SQLSTATEs of the problems of a load's rejects.
SELECT DISTINCT problem ->> 'column', problem ->> 'sqlstate'
FROM load_reject AS r
CROSS JOIN LATERAL jsonb_array_elements(r.problems) AS problem
WHERE r.load_id = %(load_id)s
ORDER BY 1, 2
LIMIT %(limit)s;
