"""What is wrong with a view, with what it takes to refresh it, and with the schema it is in."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from seeder.domain.diagnosis import Diagnosis, Word
from seeder.domain.names import ViewName

_GRANTABLE = 17  # the first major version in which one may MAINTAIN what somebody else owns
_NAMED = 5  # of the missing views of a schema; each has a line of its own besides
_KINDS = {
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
class Concurrency:
    """What the settings want of refreshes."""

    wanted: bool
    fallback: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Us:
    """Who we are in a database."""

    database: str  # Django's alias
    name: str  # of the database, as SQL wants it
    role: str  # as SQL wants it
    major: int  # version of the server


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What stands under the name of a view."""

    view: ViewName
    sql: str  # its name as SQL wants it
    kind: str  # pg_class.relkind
    populated: bool
    owner: str  # as SQL wants it
    owner_is_superuser: bool
    may_refresh: bool  # whether our role may
    owner_may_temp: bool  # whether its owner may have temporary tables
    has_unique_index: bool  # as a concurrent refresh wants one


@dataclass(frozen=True, kw_only=True, slots=True)
class Schema:
    """A schema that manifests name."""

    name: str
    sql: str  # as SQL wants it
    exists: bool
    may_use: bool
    may_create: bool


def of_view(found: Found, us: Us, concurrency: Concurrency) -> Iterator[Diagnosis]:
    one = partial(Diagnosis, database=us.database, about=str(found.view))
    if found.kind != "m":
        yield one(
            word=Word.OTHER_KIND,
            message=f"It is {_KINDS.get(found.kind, 'something else')}, which nobody can refresh.",
            fix="Rename what stands there, or let the manifest name another view.",
        )
        return
    if not found.may_refresh:
        yield one(word=Word.VIEW_FORBIDDEN, **_may_not_refresh(found, us))
    if not found.populated:
        yield one(
            word=Word.VIEW_UNFILLED,
            message="It was created WITH NO DATA, or restored so: reading it is an error.",
            fix="The next run fills it; at once does `manage.py refresh_table` with its name, or:",
            sql=f"REFRESH MATERIALIZED VIEW {found.sql};",
        )
    if not found.has_unique_index:
        yield _without_index(found, us, concurrency)
    elif concurrency.wanted and not found.owner_may_temp:
        yield one(
            word=Word.TEMP_FORBIDDEN,
            message=f"A concurrent refresh needs temporary tables, which its owner {found.owner} may not have.",
            fix="Whoever owns the database can grant it:",
            sql=f"GRANT TEMPORARY ON DATABASE {us.name} TO {found.owner};",
        )


def _may_not_refresh(found: Found, us: Us) -> dict[str, str]:
    if us.major >= _GRANTABLE:
        return {
            "message": f"It belongs to {found.owner}, and our role {us.role} may not MAINTAIN it.",
            "fix": f"{found.owner} or a superuser can grant it:",
            "sql": f"GRANT MAINTAIN ON {found.sql} TO {us.role};",
        }
    if found.owner_is_superuser:  # whose member nobody should become for a view's sake
        return {
            "message": f"It belongs to the superuser {found.owner}, so our role {us.role} may not refresh it.",
            "fix": "Let it belong to our role, or to one that we are a member of, who then has to be able to read its"
            " sources:",
            "sql": f"ALTER MATERIALIZED VIEW {found.sql} OWNER TO {us.role};",
        }
    return {
        "message": f"It belongs to {found.owner}, of which our role {us.role} is no member.",
        "fix": f"Who may GRANT {found.owner} can make us one:",
        "sql": f"GRANT {found.owner} TO {us.role};",
    }


def _without_index(found: Found, us: Us, concurrency: Concurrency) -> Diagnosis:
    """Which columns are a key, only who knows the data can say."""
    if not concurrency.wanted:
        word, what = Word.CONCURRENT_UNREADY, "it"  # of no consequence yet, so that such views are told of together
    else:
        word, what = Word.CONCURRENT_FALLS_BACK if concurrency.fallback else Word.CONCURRENT_REFUSED, found.sql
    return Diagnosis(
        word=word,
        database=us.database,
        about=str(found.view),
        message="It has no unique index that covers every row by plain columns.",
        fix=f"Where some columns together differ in every row and hold no null: CREATE UNIQUE INDEX ON {what} (…), with"
        " those columns. Which ones, only who knows the data can say.",
    )


def of_schema(schema: Schema, us: Us, *, missing: Sequence[ViewName]) -> Iterator[Diagnosis]:
    """`missing`: the views in it that are still to be created."""
    one = partial(Diagnosis, database=us.database, about=schema.sql)
    grant = f"GRANT USAGE, CREATE ON SCHEMA {schema.sql} TO {us.role};"
    if not schema.exists:
        yield one(
            word=Word.SCHEMA_MISSING,
            message=f"Manifests name views in it, which cannot be created: {_some(missing)}.",
            fix="Whoever may create schemas can, if the name is right:",
            sql=f"CREATE SCHEMA {schema.sql};\n{grant}",
        )
    elif not schema.may_use:
        yield one(
            word=Word.SCHEMA_FORBIDDEN,
            message=f"Our role {us.role} has no USAGE privilege on it, so none of its views can be refreshed.",
            fix="Its owner can grant it:",
            sql=f"GRANT USAGE ON SCHEMA {schema.sql} TO {us.role};",
        )
    if schema.exists and missing and not schema.may_create:
        yield one(
            word=Word.CREATE_FORBIDDEN,
            message=f"Our role {us.role} has no CREATE privilege on it, and these are missing: {_some(missing)}.",
            fix="Its owner can grant it:",
            sql=grant,
        )


def of_missing(view: ViewName, us: Us, *, refused: str | None) -> Diagnosis:
    """`refused`: why PostgreSQL would not make a view of the query today; None where it would, or nobody knows."""
    one = partial(Diagnosis, database=us.database, about=str(view))
    if refused is None:
        return one(
            word=Word.VIEW_MISSING,
            message="It does not exist.",
            fix="The next run creates it, if nothing else here stands against that; `manage.py refresh_table` with its"
            " name does at once.",
        )
    return one(
        word=Word.QUERY_REFUSED,
        message=f"It does not exist, and PostgreSQL would not create it: {refused}",
        fix="Correct the manifest's query.",
    )


def of_forbidden(view: ViewName, us: Us, *, why: str) -> Diagnosis:
    return Diagnosis(
        word=Word.CREATE_FORBIDDEN,
        database=us.database,
        about=str(view),
        message=f"It does not exist, and PostgreSQL would not let our role {us.role} create it: {why}",
        fix="Whoever owns that can grant the privilege, such as USAGE on a schema that the query reads.",
    )


def of_uncompared(view: ViewName, us: Us, *, why: str) -> Diagnosis:
    return Diagnosis(
        word=Word.DRIFT_UNKNOWN,
        database=us.database,
        about=str(view),
        message=f"Whether its manifest still has the query that it was created from is not known: {why}",
        fix="Look again when nothing is locked; our role needs TEMPORARY on the database, and USAGE on the schemas that"
        " the query reads.",
    )


def of_source(view: str, owner: str, source: str, us: Us) -> Diagnosis:
    """A view whose query reads a relation as `owner`, who may not."""
    return Diagnosis(
        word=Word.SOURCE_FORBIDDEN,
        database=us.database,
        about=view,
        message=f"It reads {source} as {owner}, who may not.",
        fix=f"Whoever owns {source} can grant it:",
        sql=f"GRANT SELECT ON {source} TO {owner};",
    )


def of_unlisted(view: ViewName, us: Us) -> Diagnosis:
    return Diagnosis(
        word=Word.VIEW_UNLISTED,
        database=us.database,
        about=str(view),
        message="No manifest names it, enabled or not, so nobody refreshes it here.",
        fix="Write a manifest for it, or DROP MATERIALIZED VIEW where nobody reads it.",
    )


def of_index(relation: str, index: str, us: Us, *, leftover: bool) -> Diagnosis:
    """`leftover`: of a REINDEX … CONCURRENTLY that did not end, beside which the index itself is still there."""
    return Diagnosis(
        word=Word.INDEX_INVALID,
        database=us.database,
        about=relation,
        message=f"Building its index {index} did not end, so nobody uses it. Each plain refresh builds it again, and"
        " fails where it is unique and the view's rows are not.",
        fix="Its owner can drop what is left over:"
        if leftover
        else "Its owner can build it again; where that finds a key twice, drop it instead (DROP INDEX), with a"
        " …_ccnew that stays behind:",
        sql=f"DROP INDEX CONCURRENTLY {index};" if leftover else f"REINDEX INDEX CONCURRENTLY {index};",
    )


def _some(views: Sequence[ViewName]) -> str:
    """The first of them by name, and how many more there are."""
    shown = ", ".join(map(str, views[:_NAMED]))
    return f"{shown} and {len(views) - _NAMED:,} more" if len(views) > _NAMED else shown
