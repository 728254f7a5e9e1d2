"""What the catalog knows of many views at once: a statement a question, however many views there are."""

from collections.abc import Collection, Iterable, Mapping, Sequence, Set

from seeder.domain.doctor.search_path_rules import FunctionWithoutSearchPath, NameLocation
from seeder.domain.doctor.view_rules import FoundRelation, ManifestSchema
from seeder.domain.view_names import ViewName
from seeder.postgres import contract
from seeder.postgres.doctor_server_queries import query_read_only


def schema_privileges(database: str, names: Iterable[str]) -> Sequence[ManifestSchema]:
    return [
        ManifestSchema(name=name, quoted_name=sql, exists=exists, can_use=may_use, can_create=may_create)
        for name, sql, exists, may_use, may_create in query_read_only(
            database, "schema_privileges", {"names": sorted(names)}
        )
    ]


def find_relations(database: str, views: Collection[ViewName]) -> Mapping[ViewName, FoundRelation]:
    """What stands under these names, as far as anything does."""
    relations = {}
    for schema, name, *facts in query_read_only(database, "view_facts", _view_parameters(views)):
        view = ViewName(schema=schema, name=name)
        relations[view] = FoundRelation(view=view, **dict(zip(_RELATION_FIELDS, facts, strict=True)))
    return relations


# As the statement has them.
_RELATION_FIELDS = (
    "quoted_name",
    "relkind",
    "is_populated",
    "owner",
    "owner_is_superuser",
    "can_refresh",
    "owner_can_create_temp",
    "has_unique_index",
)


def unreadable_sources(database: str, views: Collection[ViewName]) -> Sequence[tuple[ViewName, str, str]]:
    """Each view, the role that it reads as and what that may not read; the last two as SQL wants them."""
    rows = query_read_only(database, "unreadable_sources", _view_parameters(views))
    return [(ViewName(schema=schema, name=name), role, source) for schema, name, role, source in rows]


def unlisted_views(database: str, listed: Collection[ViewName]) -> Sequence[ViewName]:
    """The materialized views beside these, in their schemas and in the contract's."""
    rows = query_read_only(database, "unlisted_views", {**_view_parameters(listed), "schema": contract.SCHEMA})
    return [ViewName(schema=schema, name=name) for schema, name in rows]


def invalid_indexes(database: str, views: Collection[ViewName]) -> Sequence[tuple[ViewName, str, bool]]:
    """Each relation, its invalid index as SQL wants it, and whether that is a leftover of building another one."""
    contract_tables = {"schema": contract.SCHEMA, "tables": [*contract.tables_in_sql()]}
    rows = query_read_only(database, "invalid_indexes", {**_view_parameters(views), **contract_tables})
    return [(ViewName(schema=schema, name=name), index, leftover) for schema, name, index, leftover in rows]


def functions_called(database: str, views: Collection[ViewName]) -> Mapping[int, Set[str]]:
    """By OID, the views that call each function, as far as the server knows."""
    callers: dict[int, set[str]] = {}
    for oid, schema, name in query_read_only(database, "functions_called", _view_parameters(views)):
        callers.setdefault(oid, set()).add(str(ViewName(schema=schema, name=name)))
    return callers


def unparsed_functions(database: str) -> Sequence[FunctionWithoutSearchPath]:
    """The functions whose bodies the server has not parsed, and that have no search_path of their own."""
    return [
        FunctionWithoutSearchPath(oid=oid, schema=schema, name=name, signature=signature, body=body)
        for oid, schema, name, signature, body in query_read_only(database, "unparsed_functions")
    ]


def schemas_defining(database: str, names: Iterable[str]) -> Mapping[str, Sequence[NameLocation]]:
    """In which schemas these names mean something, but for what the server itself has of that name."""
    schemas_by_name: dict[str, list[NameLocation]] = {}
    for name, schema, place in query_read_only(database, "schemas_defining", {"names": sorted(names)}):
        schemas_by_name.setdefault(name, []).append(NameLocation(quoted_schema=schema, search_path_position=place))
    return schemas_by_name


def recreate_statements(database: str, views: Collection[ViewName]) -> Mapping[ViewName, tuple[str, Sequence[str]]]:
    """Of each materialized view its name as SQL wants it, and the statements that give it back what it loses when it is
    dropped."""
    return {
        ViewName(schema=schema, name=name): (sql, statements)
        for schema, name, sql, statements in query_read_only(database, "recreate_statements", _view_parameters(views))
    }


def _view_parameters(views: Collection[ViewName]) -> Mapping[str, Sequence[str]]:
    return {"schemas": [view.schema for view in views], "names": [view.name for view in views]}
