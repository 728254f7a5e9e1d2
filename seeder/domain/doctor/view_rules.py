"""Rules for views, their schemas and the privileges to refresh them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from seeder.domain.doctor.diagnosis import Diagnosis, Problem
from seeder.domain.view_names import ViewName

_FIRST_MAINTAIN_MAJOR = 17  # the first major version with the MAINTAIN privilege
_MAX_LISTED_VIEWS = 5  # missing views in the message of a schema; each also has its own problem
_RELKIND_NAMES = {
    "r": "a table",
    "p": "a partitioned table",
    "v": "a plain view",
    "f": "a foreign table",
    "S": "a sequence",
    "i": "an index",
    "I": "an index",
    "c": "a type",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ConcurrencySettings:
    """Settings of concurrent refreshes."""

    is_enabled: bool
    allows_fallback: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class DatabaseRole:
    """Seeder's role in a database. Names are quoted for SQL."""

    database_alias: str
    database_name: str
    role_name: str
    server_major: int


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundRelation:
    """The relation with a view's name. Names are quoted for SQL."""

    view: ViewName
    quoted_name: str
    relkind: str  # pg_class.relkind
    is_populated: bool
    owner: str
    owner_is_superuser: bool
    can_refresh: bool  # seeder's role
    owner_can_create_temp: bool  # temporary tables
    has_unique_index: bool  # usable for a concurrent refresh


@dataclass(frozen=True, kw_only=True, slots=True)
class ManifestSchema:
    """A schema that manifests name."""

    name: str
    quoted_name: str
    exists: bool
    can_use: bool
    can_create: bool


def check_view(relation: FoundRelation, role: DatabaseRole, concurrency: ConcurrencySettings) -> Iterator[Diagnosis]:
    diagnosis = partial(Diagnosis, database=role.database_alias, subject=str(relation.view))
    if relation.relkind != "m":
        yield diagnosis(
            problem=Problem.NOT_MATERIALIZED_VIEW,
            message=f"It is {_RELKIND_NAMES.get(relation.relkind, 'another kind of relation')}, which cannot be"
            " refreshed.",
            fix="Rename that relation, or the view in the manifest.",
        )
        return
    if not relation.can_refresh:
        yield diagnosis(problem=Problem.VIEW_FORBIDDEN, **_explain_refresh_forbidden(relation, role))
    if not relation.is_populated:
        yield diagnosis(
            problem=Problem.VIEW_NOT_POPULATED,
            message="It was created or restored WITH NO DATA and cannot be read.",
            fix="The next run fills it. To fill it now, run `manage.py refresh_table` with its name, or:",
            sql=f"REFRESH MATERIALIZED VIEW {relation.quoted_name};",
        )
    if not relation.has_unique_index:
        yield _diagnose_missing_unique_index(relation, role, concurrency)
    elif concurrency.is_enabled and not relation.owner_can_create_temp:
        yield diagnosis(
            problem=Problem.TEMP_FORBIDDEN,
            message=f"A concurrent refresh needs temporary tables, which its owner {relation.owner} may not create.",
            fix="The database's owner can grant it:",
            sql=f"GRANT TEMPORARY ON DATABASE {role.database_name} TO {relation.owner};",
        )


def _explain_refresh_forbidden(relation: FoundRelation, role: DatabaseRole) -> dict[str, str]:
    if role.server_major >= _FIRST_MAINTAIN_MAJOR:
        return {
            "message": f"It belongs to {relation.owner}, and seeder's role {role.role_name} may not MAINTAIN it.",
            "fix": f"{relation.owner} or a superuser can grant it:",
            "sql": f"GRANT MAINTAIN ON {relation.quoted_name} TO {role.role_name};",
        }
    if relation.owner_is_superuser:  # membership in a superuser role would be too much
        return {
            "message": f"It belongs to the superuser {relation.owner}, so seeder's role {role.role_name} may not"
            " refresh it.",
            "fix": "Give it to seeder's role, or to a role of which that is a member. The new owner needs SELECT on its"
            " sources:",
            "sql": f"ALTER MATERIALIZED VIEW {relation.quoted_name} OWNER TO {role.role_name};",
        }
    return {
        "message": f"It belongs to {relation.owner}, and seeder's role {role.role_name} is not a member of that role.",
        "fix": f"A role that may GRANT {relation.owner} can change that:",
        "sql": f"GRANT {relation.owner} TO {role.role_name};",
    }


def _diagnose_missing_unique_index(
    relation: FoundRelation, role: DatabaseRole, concurrency: ConcurrencySettings
) -> Diagnosis:
    """Only people who know the data can choose the columns of the key."""
    if not concurrency.is_enabled:
        problem, target = Problem.CONCURRENT_UNREADY, "it"  # one text for all, so that they are reported together
    else:
        problem, target = (
            Problem.CONCURRENT_FALLS_BACK if concurrency.allows_fallback else Problem.CONCURRENT_REFUSED,
            relation.quoted_name,
        )
    return Diagnosis(
        problem=problem,
        database=role.database_alias,
        subject=str(relation.view),
        message="It has no unique index on plain columns without a WHERE clause.",
        fix=f"If some columns identify every row and are never null, CREATE UNIQUE INDEX ON {target} (…) with those"
        " columns.",
    )


def check_schema(
    schema: ManifestSchema, role: DatabaseRole, *, missing_views: Sequence[ViewName]
) -> Iterator[Diagnosis]:
    """Yield the problems of a schema. `missing_views` are still to be created in it."""
    diagnosis = partial(Diagnosis, database=role.database_alias, subject=schema.quoted_name)
    grant = f"GRANT USAGE, CREATE ON SCHEMA {schema.quoted_name} TO {role.role_name};"
    if not schema.exists:
        yield diagnosis(
            problem=Problem.SCHEMA_MISSING,
            message=f"Manifests name views in it, which cannot be created: {_list_views(missing_views)}.",
            fix="If the name is right, a role that may create schemas can create it:",
            sql=f"CREATE SCHEMA {schema.quoted_name};\n{grant}",
        )
    elif not schema.can_use:
        yield diagnosis(
            problem=Problem.SCHEMA_FORBIDDEN,
            message=f"Seeder's role {role.role_name} has no USAGE privilege on it, so none of its views can be"
            " refreshed.",
            fix="Its owner can grant it:",
            sql=f"GRANT USAGE ON SCHEMA {schema.quoted_name} TO {role.role_name};",
        )
    if schema.exists and missing_views and not schema.can_create:
        yield diagnosis(
            problem=Problem.CREATE_FORBIDDEN,
            message=f"Seeder's role {role.role_name} has no CREATE privilege on it, and these views are missing:"
            f" {_list_views(missing_views)}.",
            fix="Its owner can grant it:",
            sql=grant,
        )


def diagnose_missing_view(view: ViewName, role: DatabaseRole, *, creation_error: str | None) -> Diagnosis:
    """Diagnose a missing view. `creation_error` is PostgreSQL's, or None if it accepts the query or was not asked."""
    diagnosis = partial(Diagnosis, database=role.database_alias, subject=str(view))
    if creation_error is None:
        return diagnosis(
            problem=Problem.VIEW_MISSING,
            message="It does not exist.",
            fix="The next run creates it, unless another problem prevents that. To create it now, run"
            " `manage.py refresh_table` with its name.",
        )
    return diagnosis(
        problem=Problem.QUERY_REFUSED,
        message=f"It does not exist, and PostgreSQL would not create it: {creation_error}",
        fix="Correct the manifest's query.",
    )


def diagnose_creation_forbidden(view: ViewName, role: DatabaseRole, *, reason: str) -> Diagnosis:
    return Diagnosis(
        problem=Problem.CREATE_FORBIDDEN,
        database=role.database_alias,
        subject=str(view),
        message=f"It does not exist, and seeder's role {role.role_name} may not create it: {reason}",
        fix="The owner of the object can grant the privilege, such as USAGE on a schema that the query reads.",
    )


def diagnose_uncompared_query(view: ViewName, role: DatabaseRole, *, reason: str) -> Diagnosis:
    return Diagnosis(
        problem=Problem.DRIFT_UNKNOWN,
        database=role.database_alias,
        subject=str(view),
        message=f"The manifest's query could not be compared with the view: {reason}",
        fix="Run the doctor again when nothing is locked. Seeder's role needs TEMPORARY on the database, and USAGE on"
        " the schemas that the query reads.",
    )


def diagnose_forbidden_source(view: str, owner: str, source: str, role: DatabaseRole) -> Diagnosis:
    """Diagnose a view whose owner lacks SELECT on a source."""
    return Diagnosis(
        problem=Problem.SOURCE_FORBIDDEN,
        database=role.database_alias,
        subject=view,
        message=f"It reads {source} as {owner}, which lacks the privilege.",
        fix=f"The owner of {source} can grant it:",
        sql=f"GRANT SELECT ON {source} TO {owner};",
    )


def diagnose_view_without_manifest(view: ViewName, role: DatabaseRole) -> Diagnosis:
    return Diagnosis(
        problem=Problem.VIEW_WITHOUT_MANIFEST,
        database=role.database_alias,
        subject=str(view),
        message="No manifest names it, enabled or not, so it is not refreshed.",
        fix="Write a manifest for it, or DROP MATERIALIZED VIEW if it is not used.",
    )


def diagnose_invalid_index(relation: str, index: str, role: DatabaseRole, *, is_leftover: bool) -> Diagnosis:
    """Diagnose an invalid index.

    `is_leftover`: of an unfinished REINDEX … CONCURRENTLY; the valid index still exists.
    """
    return Diagnosis(
        problem=Problem.INDEX_INVALID,
        database=role.database_alias,
        subject=relation,
        message=f"Its index {index} was not built completely, so it is not used. Each plain refresh builds it again,"
        " and fails if it is unique and the rows are not.",
        fix="Its owner can drop the leftover:"
        if is_leftover
        else "Its owner can build it again. If that finds duplicates, drop it instead (DROP INDEX), also a leftover"
        " …_ccnew:",
        sql=f"DROP INDEX CONCURRENTLY {index};" if is_leftover else f"REINDEX INDEX CONCURRENTLY {index};",
    )


def _list_views(views: Sequence[ViewName]) -> str:
    """List the first views and the number of the others."""
    shown = ", ".join(map(str, views[:_MAX_LISTED_VIEWS]))
    return f"{shown} and {len(views) - _MAX_LISTED_VIEWS:,} more" if len(views) > _MAX_LISTED_VIEWS else shown
