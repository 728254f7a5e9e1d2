"""Functions in views that depend on the search_path.

From PostgreSQL 17 on, a refresh runs with a restricted search_path.
"""

from collections.abc import Iterator

from seeder.domain.doctor import search_path_rules
from seeder.domain.doctor.diagnosis import Diagnosis
from seeder.postgres import doctor_view_queries
from seeder.services.doctor.check_context import CheckContext


def check_functions(context: CheckContext) -> Iterator[Diagnosis]:
    """Report functions that views call and that use names without a schema."""
    start = doctor_view_queries.functions_called(context.alias, context.views.keys())
    if not start:
        return
    views = search_path_rules.functions_reached(start, doctor_view_queries.unparsed_functions(context.alias))
    words = {name for function in views for name in search_path_rules.unqualified_names(function.body)}
    yield from search_path_rules.check_functions(
        views, doctor_view_queries.schemas_defining(context.alias, words), context.role
    )
