-- Trials of values on servers without pg_input_error_info() (before PostgreSQL 16).

-- name: create_trial
-- A function that returns the SQLSTATE and the message of a refused text, or null. An assignment refuses a text that is
-- too long; a cast would truncate it. Each call is a subtransaction.
CREATE OR REPLACE FUNCTION {function} (value text) RETURNS text[] LANGUAGE plpgsql STRICT AS $$
DECLARE
    result {type};
    state text;
    reason text;
    addition text;
BEGIN
    result := value;
    RETURN NULL;
EXCEPTION WHEN data_exception OR integrity_constraint_violation OR program_limit_exceeded THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, reason = MESSAGE_TEXT, addition = PG_EXCEPTION_DETAIL;
    RETURN ARRAY[state, reason || coalesce(': ' || nullif(addition, ''), '')];
END
$$;
