"""What the catalog knows of many views at once: a statement a question, however many views there are."""

from collections.abc import Collection, Iterable, Mapping, Sequence, Set

from seeder.domain.function_rules import FunctionWithoutSearchPath, NameLocation
from seeder.domain.names import ViewName
from seeder.domain.view_rules import FoundRelation, ManifestSchema
from seeder.postgres import contract
from seeder.postgres.doctor import ask


def schemas(database: str, names: Iterable[str]) -> Sequence[ManifestSchema]:
    return [
        ManifestSchema(name=name, quoted_name=sql, exists=exists, can_use=may_use, can_create=may_create)
        for name, sql, exists, may_use, may_create in ask(database, "schemas_wanted", {"wanted": sorted(names)})
    ]


def found(database: str, views: Collection[ViewName]) -> Mapping[ViewName, FoundRelation]:
    """What stands under these names, as far as anything does."""
    known = {}
    for schema, name, *facts in ask(database, "views_wanted", _wanted(views)):
        view = ViewName(schema=schema, name=name)
        known[view] = FoundRelation(view=view, **dict(zip(_FACTS, facts, strict=True)))
    return known


# As the statement has them.
_FACTS = (
    "sql",
    "kind",
    "populated",
    "owner",
    "owner_is_superuser",
    "may_refresh",
    "owner_may_temp",
    "has_unique_index",
)


def sources_forbidden(database: str, views: Collection[ViewName]) -> Sequence[tuple[ViewName, str, str]]:
    """Each view, the role that it reads as and what that may not read; the last two as SQL wants them."""
    rows = ask(database, "sources_forbidden", _wanted(views))
    return [(ViewName(schema=schema, name=name), role, source) for schema, name, role, source in rows]


def unlisted(database: str, listed: Collection[ViewName]) -> Sequence[ViewName]:
    """The materialized views beside these, in their schemas and in the contract's."""
    rows = ask(database, "views_unlisted", {**_wanted(listed), "schema": contract.SCHEMA})
    return [ViewName(schema=schema, name=name) for schema, name in rows]


def indexes_invalid(database: str, views: Collection[ViewName]) -> Sequence[tuple[ViewName, str, bool]]:
    """Each relation, its invalid index as SQL wants it, and whether that is a leftover of building another one."""
    more = {"schema": contract.SCHEMA, "tables": [*contract.written()]}
    rows = ask(database, "indexes_invalid", {**_wanted(views), **more})
    return [(ViewName(schema=schema, name=name), index, leftover) for schema, name, index, leftover in rows]


def functions_reached(database: str, views: Collection[ViewName]) -> Mapping[int, Set[str]]:
    """By OID, the views that call each function, as far as the server knows."""
    reached: dict[int, set[str]] = {}
    for oid, schema, name in ask(database, "functions_reached", _wanted(views)):
        reached.setdefault(oid, set()).add(str(ViewName(schema=schema, name=name)))
    return reached


def function_bodies(database: str) -> Sequence[FunctionWithoutSearchPath]:
    """The functions whose bodies the server has not parsed, and that have no search_path of their own."""
    return [
        FunctionWithoutSearchPath(oid=oid, schema=schema, name=name, signature=signature, body=body)
        for oid, schema, name, signature, body in ask(database, "function_bodies")
    ]


def homes(database: str, names: Iterable[str]) -> Mapping[str, Sequence[NameLocation]]:
    """In which schemas these names mean something, but for what the server itself has of that name."""
    known: dict[str, list[NameLocation]] = {}
    for name, schema, place in ask(database, "homes_of_names", {"wanted": sorted(names)}):
        known.setdefault(name, []).append(NameLocation(quoted_schema=schema, search_path_position=place))
    return known


def keepsakes(database: str, views: Collection[ViewName]) -> Mapping[ViewName, tuple[str, Sequence[str]]]:
    """Of each materialized view its name as SQL wants it, and the statements that give it back what it loses when it is
    dropped."""
    return {
        ViewName(schema=schema, name=name): (sql, statements)
        for schema, name, sql, statements in ask(database, "keepsakes", _wanted(views))
    }


def _wanted(views: Collection[ViewName]) -> Mapping[str, Sequence[str]]:
    return {"schemas": [view.schema for view in views], "names": [view.name for view in views]}
