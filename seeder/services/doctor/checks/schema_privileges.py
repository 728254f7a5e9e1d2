"""Missing schemas of views, and privileges on schemas."""

from collections.abc import Iterator, Sequence

from seeder.domain.human_format import format_names
from seeder.domain.view_names import ViewName
from seeder.services.doctor.check_types import CheckedDatabase, Diagnosis, error_problem
from seeder.texts import Text

SCHEMA_MISSING = error_problem(
    name="schema_missing",
    area="views",
    meaning=Text("The schema of a manifest's view does not exist. Refreshes create views, not schemas."),
    fix=Text("If the name is correct, a role that may create schemas can create it."),
)
SCHEMA_FORBIDDEN = error_problem(
    name="schema_forbidden",
    area="permissions",
    meaning=Text("Seeder's role has no USAGE privilege on a schema: none of its views can be refreshed."),
    fix=Text("The owner of the schema can grant it."),
)
CREATE_FORBIDDEN = error_problem(
    name="create_forbidden",
    area="permissions",
    meaning=Text(
        "Views are missing, and seeder's role may not create views in their schema, or lacks USAGE on a schema that"
        " they read. A missing SELECT shows when the view is created."
    ),
    fix=Text("The owner of the schema can grant it, or create the views."),
)

_MAX_LISTED_VIEWS = 5  # missing views in the message of a schema; each also has its own problem


def check(database: CheckedDatabase) -> Iterator[Diagnosis]:
    role = database.server.role
    for schema in database.schemas:
        name, missing = schema.quoted_name, [view for view in database.missing_views if view.schema == schema.name]
        grant = f"GRANT USAGE, CREATE ON SCHEMA {name} TO {role};"
        if not schema.exists and missing:  # a missing schema of the contract is reported with its tables
            message = Text("Its views cannot be created: {views}.", views=_list_views(missing))
            yield SCHEMA_MISSING.found(name, message=message, sql=f"CREATE SCHEMA {name};\n{grant}")
        if schema.exists and not schema.can_use:
            yield SCHEMA_FORBIDDEN.found(name, sql=f"GRANT USAGE ON SCHEMA {name} TO {role};")
        if schema.exists and not schema.can_create and missing:
            views = _list_views(missing)
            message = Text(
                "Seeder's role {role} has no CREATE privilege. Missing views: {views}.", role=role, views=views
            )
            yield CREATE_FORBIDDEN.found(name, message=message, sql=grant)


def _list_views(views: Sequence[ViewName]) -> Text:
    """List the first views and the number of the others."""
    return format_names(map(str, views), "view", max_shown=_MAX_LISTED_VIEWS)
