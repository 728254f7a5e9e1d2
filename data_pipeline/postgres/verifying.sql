-- Comparisons of a load with its table.

-- name: kept_reject_numbers
SELECT record_no FROM load_reject WHERE load_id = %(load_id)s;

-- name: record_verification
INSERT INTO load_event (load_id, event, actor, facts)
VALUES (
    %(load_id)s, 'verified', %(actor)s, jsonb_build_object('artefact', %(artefact)s::text, 'rows', %(rows)s::text)
);
