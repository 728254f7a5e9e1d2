"""What is wrong with a view, with what it takes to refresh it, and with the schema it is in."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from seeder.domain.doctor.diagnosis import Diagnosis, Problem
from seeder.domain.view_names import ViewName

_FIRST_MAINTAIN_MAJOR = 17  # the first major version in which one may MAINTAIN what somebody else owns
_MAX_LISTED_VIEWS = 5  # of the missing views of a schema; each has a line of its own besides
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
    """What the settings want of refreshes."""

    is_enabled: bool
    allows_fallback: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class DatabaseRole:
    """Who we are in a database."""

    database_alias: str  # Django's alias
    database_name: str  # of the database, as SQL wants it
    role_name: str  # as SQL wants it
    server_major: int  # version of the server


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundRelation:
    """What stands under the name of a view."""

    view: ViewName
    quoted_name: str  # its name as SQL wants it
    relkind: str  # pg_class.relkind
    is_populated: bool
    owner: str  # as SQL wants it
    owner_is_superuser: bool
    can_refresh: bool  # whether our role may
    owner_can_create_temp: bool  # whether its owner may have temporary tables
    has_unique_index: bool  # as a concurrent refresh wants one


@dataclass(frozen=True, kw_only=True, slots=True)
class ManifestSchema:
    """A schema that manifests name."""

    name: str
    quoted_name: str  # as SQL wants it
    exists: bool
    can_use: bool
    can_create: bool


def check_view(relation: FoundRelation, role: DatabaseRole, concurrency: ConcurrencySettings) -> Iterator[Diagnosis]:
    diagnosis = partial(Diagnosis, database=role.database_alias, subject=str(relation.view))
    if relation.relkind != "m":
        yield diagnosis(
            problem=Problem.NOT_MATERIALIZED_VIEW,
            message=f"It is {_RELKIND_NAMES.get(relation.relkind, 'something else')}, which nobody can refresh.",
            fix="Rename what stands there, or let the manifest name another view.",
        )
        return
    if not relation.can_refresh:
        yield diagnosis(problem=Problem.VIEW_FORBIDDEN, **_explain_refresh_forbidden(relation, role))
    if not relation.is_populated:
        yield diagnosis(
            problem=Problem.VIEW_NOT_POPULATED,
            message="It was created WITH NO DATA, or restored so: reading it is an error.",
            fix="The next run fills it; at once does `manage.py refresh_table` with its name, or:",
            sql=f"REFRESH MATERIALIZED VIEW {relation.quoted_name};",
        )
    if not relation.has_unique_index:
        yield _diagnose_missing_unique_index(relation, role, concurrency)
    elif concurrency.is_enabled and not relation.owner_can_create_temp:
        yield diagnosis(
            problem=Problem.TEMP_FORBIDDEN,
            message=f"A concurrent refresh needs temporary tables, which its owner {relation.owner} may not have.",
            fix="Whoever owns the database can grant it:",
            sql=f"GRANT TEMPORARY ON DATABASE {role.database_name} TO {relation.owner};",
        )


def _explain_refresh_forbidden(relation: FoundRelation, role: DatabaseRole) -> dict[str, str]:
    if role.server_major >= _FIRST_MAINTAIN_MAJOR:
        return {
            "message": f"It belongs to {relation.owner}, and our role {role.role_name} may not MAINTAIN it.",
            "fix": f"{relation.owner} or a superuser can grant it:",
            "sql": f"GRANT MAINTAIN ON {relation.quoted_name} TO {role.role_name};",
        }
    if relation.owner_is_superuser:  # whose member nobody should become for a view's sake
        return {
            "message": f"It belongs to the superuser {relation.owner}, so our role {role.role_name} may not"
            " refresh it.",
            "fix": "Let it belong to our role, or to one that we are a member of, who then has to be able to read its"
            " sources:",
            "sql": f"ALTER MATERIALIZED VIEW {relation.quoted_name} OWNER TO {role.role_name};",
        }
    return {
        "message": f"It belongs to {relation.owner}, of which our role {role.role_name} is no member.",
        "fix": f"Who may GRANT {relation.owner} can make us one:",
        "sql": f"GRANT {relation.owner} TO {role.role_name};",
    }


def _diagnose_missing_unique_index(
    relation: FoundRelation, role: DatabaseRole, concurrency: ConcurrencySettings
) -> Diagnosis:
    """Which columns are a key, only who knows the data can say."""
    if not concurrency.is_enabled:
        problem, target = (
            Problem.CONCURRENT_UNREADY,
            "it",
        )  # of no consequence yet, so that such views are told of together
    else:
        problem, target = (
            Problem.CONCURRENT_FALLS_BACK if concurrency.allows_fallback else Problem.CONCURRENT_REFUSED,
            relation.quoted_name,
        )
    return Diagnosis(
        problem=problem,
        database=role.database_alias,
        subject=str(relation.view),
        message="It has no unique index that covers every row by plain columns.",
        fix=f"Where some columns together differ in every row and hold no null: CREATE UNIQUE INDEX ON {target}"
        " (…), with"
        " those columns. Which ones, only who knows the data can say.",
    )


def check_schema(
    schema: ManifestSchema, role: DatabaseRole, *, missing_views: Sequence[ViewName]
) -> Iterator[Diagnosis]:
    """`missing`: the views in it that are still to be created."""
    diagnosis = partial(Diagnosis, database=role.database_alias, subject=schema.quoted_name)
    grant = f"GRANT USAGE, CREATE ON SCHEMA {schema.quoted_name} TO {role.role_name};"
    if not schema.exists:
        yield diagnosis(
            problem=Problem.SCHEMA_MISSING,
            message=f"Manifests name views in it, which cannot be created: {_list_views(missing_views)}.",
            fix="Whoever may create schemas can, if the name is right:",
            sql=f"CREATE SCHEMA {schema.quoted_name};\n{grant}",
        )
    elif not schema.can_use:
        yield diagnosis(
            problem=Problem.SCHEMA_FORBIDDEN,
            message=f"Our role {role.role_name} has no USAGE privilege on it, so none of its views can be refreshed.",
            fix="Its owner can grant it:",
            sql=f"GRANT USAGE ON SCHEMA {schema.quoted_name} TO {role.role_name};",
        )
    if schema.exists and missing_views and not schema.can_create:
        yield diagnosis(
            problem=Problem.CREATE_FORBIDDEN,
            message=f"Our role {role.role_name} has no CREATE privilege on it, and these are missing:"
            f" {_list_views(missing_views)}.",
            fix="Its owner can grant it:",
            sql=grant,
        )


def diagnose_missing_view(view: ViewName, role: DatabaseRole, *, creation_error: str | None) -> Diagnosis:
    """`refused`: why PostgreSQL would not make a view of the query today; None where it would, or nobody knows."""
    diagnosis = partial(Diagnosis, database=role.database_alias, subject=str(view))
    if creation_error is None:
        return diagnosis(
            problem=Problem.VIEW_MISSING,
            message="It does not exist.",
            fix="The next run creates it, if nothing else here stands against that; `manage.py refresh_table` with its"
            " name does at once.",
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
        message=f"It does not exist, and PostgreSQL would not let our role {role.role_name} create it: {reason}",
        fix="Whoever owns that can grant the privilege, such as USAGE on a schema that the query reads.",
    )


def diagnose_uncompared_query(view: ViewName, role: DatabaseRole, *, reason: str) -> Diagnosis:
    return Diagnosis(
        problem=Problem.DRIFT_UNKNOWN,
        database=role.database_alias,
        subject=str(view),
        message=f"Whether its manifest still has the query that it was created from is not known: {reason}",
        fix="Look again when nothing is locked; our role needs TEMPORARY on the database, and USAGE on the schemas that"
        " the query reads.",
    )


def diagnose_forbidden_source(view: str, owner: str, source: str, role: DatabaseRole) -> Diagnosis:
    """A view whose query reads a relation as `owner`, who may not."""
    return Diagnosis(
        problem=Problem.SOURCE_FORBIDDEN,
        database=role.database_alias,
        subject=view,
        message=f"It reads {source} as {owner}, who may not.",
        fix=f"Whoever owns {source} can grant it:",
        sql=f"GRANT SELECT ON {source} TO {owner};",
    )


def diagnose_view_without_manifest(view: ViewName, role: DatabaseRole) -> Diagnosis:
    return Diagnosis(
        problem=Problem.VIEW_WITHOUT_MANIFEST,
        database=role.database_alias,
        subject=str(view),
        message="No manifest names it, enabled or not, so nobody refreshes it here.",
        fix="Write a manifest for it, or DROP MATERIALIZED VIEW where nobody reads it.",
    )


def diagnose_invalid_index(relation: str, index: str, role: DatabaseRole, *, is_leftover: bool) -> Diagnosis:
    """`leftover`: of a REINDEX … CONCURRENTLY that did not end, beside which the index itself is still there."""
    return Diagnosis(
        problem=Problem.INDEX_INVALID,
        database=role.database_alias,
        subject=relation,
        message=f"Building its index {index} did not end, so nobody uses it. Each plain refresh builds it again, and"
        " fails where it is unique and the view's rows are not.",
        fix="Its owner can drop what is left over:"
        if is_leftover
        else "Its owner can build it again; where that finds a key twice, drop it instead (DROP INDEX), with a"
        " …_ccnew that stays behind:",
        sql=f"DROP INDEX CONCURRENTLY {index};" if is_leftover else f"REINDEX INDEX CONCURRENTLY {index};",
    )


def _list_views(views: Sequence[ViewName]) -> str:
    """The first of them by name, and how many more there are."""
    shown = ", ".join(map(str, views[:_MAX_LISTED_VIEWS]))
    return f"{shown} and {len(views) - _MAX_LISTED_VIEWS:,} more" if len(views) > _MAX_LISTED_VIEWS else shown
