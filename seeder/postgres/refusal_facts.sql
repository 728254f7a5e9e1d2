-- Facts that tell the cause of a refusal, read after it.

-- name: refusal_facts
-- About a view, its schema and this role. The columns about the view are null if it does not exist.
SELECT
    current_setting('server_version_num')::integer / 10000 AS major,
    quote_ident(current_user) AS role,
    quote_ident(current_database()) AS database,
    quote_ident(%(schema)s) AS schema,
    format('%%I.%%I', %(schema)s, %(name)s) AS view,
    coalesce(has_schema_privilege(n.oid, 'USAGE'), false) AS can_use_schema,
    coalesce(has_schema_privilege(n.oid, 'CREATE'), false) AS can_create,
    NOT current_setting('row_security')::boolean AS is_row_security_off,
    quote_ident(r.rolname) AS owner,
    coalesce(r.rolsuper, false) AS owner_is_superuser,
    coalesce(
        CASE WHEN current_setting('server_version_num')::integer >= 170000
            THEN has_table_privilege(c.oid, 'MAINTAIN')
            ELSE pg_has_role(c.relowner, 'USAGE')
        END, false
    ) AS can_refresh,
    coalesce(has_database_privilege(c.relowner, current_database(), 'TEMPORARY'), false) AS owner_can_create_temp,
    c.oid
FROM (VALUES (1)) AS always (one)
LEFT JOIN pg_namespace AS n ON n.nspname = %(schema)s
LEFT JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = %(name)s
LEFT JOIN pg_roles AS r ON r.oid = c.relowner;

-- name: forbidden_functions
-- Those of these functions that the owner of the view may not execute.
SELECT format('%%I.%%I(%%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid))
FROM pg_proc AS p
JOIN pg_namespace AS n ON n.oid = p.pronamespace
JOIN pg_class AS c ON c.oid = %(view_oid)s
WHERE p.oid = ANY (%(function_oids)s::oid[]) AND NOT has_function_privilege(c.relowner, p.oid, 'EXECUTE')
ORDER BY 1;
