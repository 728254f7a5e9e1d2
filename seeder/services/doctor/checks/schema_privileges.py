"""Missing schemas of views, and privileges on schemas."""

from collections.abc import Iterator, Sequence

from seeder.domain.view_names import ViewName
from seeder.services.doctor.check_types import CheckedDatabase, Diagnosis, error_problem

SCHEMA_MISSING = error_problem(
    name="schema_missing",
    area="views",
    meaning="The schema of a manifest's view does not exist. Refreshes create views, not schemas.",
    fix="If the name is correct, a role that may create schemas can create it.",
)
SCHEMA_FORBIDDEN = error_problem(
    name="schema_forbidden",
    area="permissions",
    meaning="Seeder's role has no USAGE privilege on a schema: none of its views can be refreshed.",
    fix="The owner of the schema can grant it.",
)
CREATE_FORBIDDEN = error_problem(
    name="create_forbidden",
    area="permissions",
    meaning="Views are missing, and seeder's role may not create views in their schema, or lacks USAGE on a schema that"
    " they read. A missing SELECT shows when the view is created.",
    fix="The owner of the schema can grant it, or create the views.",
)

_MAX_LISTED_VIEWS = 5  # missing views in the message of a schema; each also has its own problem


def check(database: CheckedDatabase) -> Iterator[Diagnosis]:
    role = database.server.role
    for schema in database.schemas:
        name, missing = schema.quoted_name, [view for view in database.missing_views if view.schema == schema.name]
        grant = f"GRANT USAGE, CREATE ON SCHEMA {name} TO {role};"
        if not schema.exists and missing:  # a missing schema of the contract is reported with its tables
            message, sql = f"Its views cannot be created: {_list_views(missing)}.", f"CREATE SCHEMA {name};\n{grant}"
            yield SCHEMA_MISSING.found(name, message=message, sql=sql)
        if schema.exists and not schema.can_use:
            yield SCHEMA_FORBIDDEN.found(name, sql=f"GRANT USAGE ON SCHEMA {name} TO {role};")
        if schema.exists and not schema.can_create and missing:
            message = f"Seeder's role {role} has no CREATE privilege. Missing views: {_list_views(missing)}."
            yield CREATE_FORBIDDEN.found(name, message=message, sql=grant)


def _list_views(views: Sequence[ViewName]) -> str:
    """List the first views and the number of the others."""
    shown = ", ".join(map(str, views[:_MAX_LISTED_VIEWS]))
    return f"{shown} and {len(views) - _MAX_LISTED_VIEWS:,} more" if len(views) > _MAX_LISTED_VIEWS else shown
