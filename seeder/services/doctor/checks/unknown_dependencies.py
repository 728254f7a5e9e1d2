"""Dependencies of views that PostgreSQL does not know, and declared ones that do not exist."""

from collections.abc import Iterator

from seeder.domain.view_names import ViewName
from seeder.postgres.catalog import name_lists
from seeder.services.doctor.check_types import CheckedDatabase, Diagnosis, info_problem, warning_problem
from seeder.texts import Text

DEPENDENCIES_UNKNOWN = info_problem(
    name="dependencies_unknown",
    area="views",
    meaning=Text(
        "A view calls a function with a text body, so PostgreSQL does not know what it reads. It can be refreshed"
        " before a view that it reads, and then has old rows."
    ),
    fix=Text(
        "Rewrite the function as SQL with a BEGIN ATOMIC body, or declare the views that it reads in a line of the"
        " view's query: `-- depends_on: reporting.a, reporting.b`, or `-- depends_on:` if there are none."
    ),
)
DECLARED_DEPENDENCY_MISSING = warning_problem(
    name="declared_dependency_missing",
    area="views",
    meaning=Text(
        "A query declares a dependency (`-- depends_on:`) on a relation that neither exists nor has a manifest."
    ),
    fix=Text("Correct the name in the query."),
)


def check(database: CheckedDatabase) -> Iterator[Diagnosis]:
    functions = {
        view: {one.function_oid for one in used_objects if one.is_opaque}
        for view, used_objects in database.used_objects.items()
        if not database.views[view].declaration
    }
    undeclared = {view: oids for view, oids in functions.items() if oids}
    signatures = dict(database.read("function_signatures", oids=sorted(set().union(*undeclared.values()))))
    for view, oids in sorted(undeclared.items()):
        calls = ", ".join(sorted(signatures[oid] for oid in oids if oid in signatures))
        yield DEPENDENCIES_UNKNOWN.found(str(view), message=Text("It calls {functions}.", functions=calls))
    yield from _check_declared(database)


def _check_declared(database: CheckedDatabase) -> Iterator[Diagnosis]:
    declared = {view: spec.declaration for view, spec in sorted(database.views.items()) if spec.declaration}
    names = {name for declaration in declared.values() for name in declaration.views} - database.listed_views
    existing = {
        ViewName(schema=schema, name=name) for schema, name, *_ in database.read("find_relations", **name_lists(names))
    }
    for view, declaration in declared.items():
        missing = [*declaration.invalid_names, *map(str, sorted(declaration.views & names - existing))]
        for name in missing:
            message = Text("It declares a dependency on {name}.", name=name)
            yield DECLARED_DEPENDENCY_MISSING.found(str(view), message=message)
