-- Trials of values on servers without pg_input_error_info() (before PostgreSQL 16).

-- name: create_trial
-- A function that returns the SQLSTATE and the message of a refused text, or null. An assignment refuses a text that is
-- too long; a cast would truncate it. The variable has a value from its beginning, because a domain can refuse null.
-- Errors of the server are raised. Each call is a subtransaction.
CREATE OR REPLACE FUNCTION {function} (value text) RETURNS text[] LANGUAGE plpgsql STRICT AS $$
DECLARE
    state text;
    reason text;
    addition text;
BEGIN
    DECLARE
        result {type} := {value};
    BEGIN
        RETURN NULL;
    END;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, reason = MESSAGE_TEXT, addition = PG_EXCEPTION_DETAIL;
    IF left(state, 2) IN ('08', '40', '53', '55', '57', '58', 'XX') THEN
        RAISE;
    END IF;
    RETURN ARRAY[state, left(reason || coalesce(': ' || nullif(addition, ''), ''), 1000)];
END
$$;
