"""Reads facts that tell the cause of a refusal."""

from dataclasses import asdict

from django.db import Error
from psycopg.rows import dict_row

from seeder.domain.refusal_advice import RefusalFacts
from seeder.domain.view_names import ViewName
from seeder.postgres import sessions
from seeder.postgres.catalog import find_used_objects
from seeder.postgres.named_statements import STATEMENTS
from seeder.postgres.sqlstates import is_in_function, is_missing_privilege


def read_refusal_facts(database: str, view: ViewName, error: Error, *, is_concurrent: bool) -> RefusalFacts:
    """Return the facts after an error of this view. Call it outside a failed transaction."""
    [facts] = sessions.query(database, STATEMENTS["refusal_facts"], asdict(view), row_factory=dict_row)
    oid = facts.pop("oid")
    tag = "CREATE MATERIALIZED VIEW" if oid is None else "REFRESH MATERIALIZED VIEW"
    triggers = sessions.query(database, STATEMENTS["event_triggers"], {"tag": tag})
    unreadable, functions, forbidden = [], {}, []
    if oid is not None:
        unreadable = sessions.query(database, STATEMENTS["unreadable_sources"], {"oids": [oid]})
        used_objects = find_used_objects(database, [view])[view]
        functions = {one.function_oid: one.is_opaque for one in used_objects if one.function_oid is not None}
        parameters = {"view_oid": oid, "function_oids": [*functions]}
        forbidden = sessions.query(database, STATEMENTS["forbidden_functions"], parameters)
    return RefusalFacts(
        **facts,
        unreadable_sources=[tuple(source) for _, *source in unreadable],
        forbidden_functions=[name for (name,) in forbidden],
        calls_functions=any(functions.values()),
        event_triggers=[f"{name} (function {function})" for name, function in triggers],
        is_concurrent=is_concurrent,
        lacks_privilege=is_missing_privilege(error),
        is_in_function=is_in_function(error),
    )
