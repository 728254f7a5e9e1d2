"""Resets test databases: rows are deleted, and schemas are dropped only after a test that changed them.

Dropping and creating the contract's tables takes 170 ms, deleting their rows 5 ms. The system catalogs show whether a
test changed a schema: `xmin` of every catalog row is the transaction that wrote it.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from seeder.postgres import contract

_SCHEMA = contract.SCHEMA
_MAX_TABLE_BYTES = 2_000_000  # bytes; a table of this size is dropped, because deleted rows would still be scanned

_TERMINATE_OTHER_SESSIONS = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    " WHERE pid <> pg_backend_pid() AND datname = current_database() AND backend_type = 'client backend'"
)
_OTHER_SCHEMAS = (
    "SELECT quote_ident(nspname) FROM pg_namespace"
    " WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public', %s)"
)
# Every named object in the schema, with the statement that drops it.
_OBJECTS = f"""
SELECT format('%s %s', d.classid, d.objid), format('DROP %s IF EXISTS %s CASCADE', upper(o.type), o.identity)
FROM pg_depend AS d, pg_identify_object(d.classid, d.objid, 0) AS o
WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = to_regnamespace('{_SCHEMA}') AND d.deptype = 'n'
"""
# A digest of the definitions of the contract's tables: the transaction that last wrote each catalog row.
_DEFINITIONS = f"""
WITH tables AS (SELECT oid FROM pg_class WHERE oid = ANY (%s::oid[])),
indexes AS (SELECT indexrelid AS oid, xmin FROM pg_index WHERE indrelid IN (SELECT oid FROM tables)),
rows AS (
    SELECT 'n' AS kind, oid, 0 AS number, xmin FROM pg_namespace WHERE nspname = '{_SCHEMA}'
    UNION ALL SELECT 'c', oid, 0, xmin FROM pg_class WHERE oid IN (SELECT oid FROM tables UNION SELECT oid FROM indexes)
    UNION ALL SELECT 'i', oid, 0, xmin FROM indexes
    UNION ALL SELECT 'a', attrelid, attnum, xmin FROM pg_attribute WHERE attrelid IN (SELECT oid FROM tables)
    UNION ALL SELECT 'd', oid, 0, xmin FROM pg_attrdef WHERE adrelid IN (SELECT oid FROM tables)
    UNION ALL SELECT 'k', oid, 0, xmin FROM pg_constraint WHERE conrelid IN (SELECT oid FROM tables)
    UNION ALL SELECT 't', oid, 0, xmin FROM pg_trigger WHERE tgrelid IN (SELECT oid FROM tables)
    UNION ALL SELECT 'p', oid, 0, xmin FROM pg_proc WHERE pronamespace = to_regnamespace('{_SCHEMA}')
        AND proname LIKE 'seeder%%'
)
SELECT md5(string_agg(format('%%s %%s %%s %%s', kind, oid, number, xmin), ',' ORDER BY kind, oid, number)) FROM rows
"""
_IDENTITY = "SELECT system_identifier, oid FROM pg_database, pg_control_system() WHERE datname = current_database()"
# Loads that a test left, which the doctor would report. A replica's triggers do not fire, so the audit can be emptied.
_REMOVE_LOADS = """
DO $$ BEGIN
    IF to_regclass('load_event') IS NULL THEN RETURN; END IF;
    IF EXISTS (SELECT FROM load_event) OR EXISTS (SELECT FROM load_log) THEN
        SET LOCAL session_replication_role = replica;
        DELETE FROM load_change; DELETE FROM load_reject; DELETE FROM load_refresh; DELETE FROM load_request;
        DELETE FROM load_event; DELETE FROM load_log; DELETE FROM load_total;
    END IF;
END $$
"""
_WHERE_IN_SCHEMA = f" WHERE relnamespace = to_regnamespace('{_SCHEMA}') AND relkind IN ('r', 'm', 'S')"
_TABLES = f"SELECT oid, oid::regclass::text FROM pg_class{_WHERE_IN_SCHEMA}"


@dataclass(frozen=True, kw_only=True)
class _InstalledContract:
    """The contract as installed in a database."""

    objects: frozenset[str]
    relations: list[int]  # its tables and sequences, by oid
    definitions: str
    delete_rows: str  # one statement that deletes every row and restarts every sequence


@dataclass
class _DatabaseState:
    """The state of the test databases, as known to this process."""

    installed: dict[tuple[int, int], _InstalledContract] = field(default_factory=dict)  # by server and database
    scene: tuple[str, str] | None = None  # name and fingerprint of the scene in `default`
    used: set[str] = field(default_factory=lambda: set(connections))  # the databases that a test may have changed


_state = _DatabaseState()


def mark_all_used() -> None:
    """Have every database reset before the next test. Processes can use any of them."""
    _state.used.update(connections)


def _mark_used(connection: BaseDatabaseWrapper, **_: Any) -> None:
    if connection.alias in connections.settings:  # not Django's own, which creates databases
        _state.used.add(connection.alias)


connection_created.connect(_mark_used)


def close_connections() -> None:
    """Close the connections of a test. That to `default` is cleaned instead, because opening one takes longer."""
    for connection in connections.all(initialized_only=True):
        if connection.alias != "default" or not _cleaned(connection):
            connection.close()


def _cleaned(connection: BaseDatabaseWrapper) -> bool:
    """Remove settings, locks and temporary tables from a session. Return False if it has to be closed."""
    if connection.connection is None or connection.in_atomic_block or not connection.get_autocommit():
        return False
    try:
        with connection.cursor() as cursor:
            cursor.execute("DISCARD ALL")
        connection.init_connection_state()
    except DatabaseError:
        return False
    return True


def reset_databases(*, keep_contract: bool) -> None:
    """Remove the sessions, schemas and rows of earlier tests from every database. With `keep_contract`, `default` keeps
    the contract's tables if they are unchanged.
    """
    _state.scene = None
    for alias in ["default", *sorted(_state.used - {"default"})]:
        _check_name(alias)
        _rows(alias, _TERMINATE_OTHER_SESSIONS)
        _rows(alias, _REMOVE_LOADS)
        identity = _database_identity(alias)
        is_kept = keep_contract and alias == "default" and _restore_contract(identity)
        for (schema,) in _rows(alias, _OTHER_SCHEMAS, _SCHEMA if is_kept else ""):
            _rows(alias, f"DROP SCHEMA {schema} CASCADE")
        if not is_kept:
            _state.installed.pop(identity, None)
        if alias != "default":
            connections[alias].close()
            _state.used.remove(alias)


def install_contract() -> None:
    """Create the contract's tables in `default`, unless they were kept by `reset_databases`."""
    identity = _database_identity("default")
    if identity not in _state.installed:
        contract.install("default")
        _state.installed[identity] = _read_installed_contract()


def ensure_scene(name: str, build: Callable[[], None]) -> None:
    """Build a scene in empty tables, unless it is there unchanged."""
    if _state.scene is None or _state.scene != (name, _schema_fingerprint()):
        reset_databases(keep_contract=True)
        install_contract()
        build()
        _state.scene = (name, _schema_fingerprint())


def _restore_contract(identity: tuple[int, int]) -> bool:
    """Delete everything that a test added to the contract's tables. Return False if they have to be created again."""
    installed = _state.installed.get(identity)
    if installed is None:
        return False
    objects = dict(_rows("default", _OBJECTS))
    if not installed.objects <= objects.keys():
        return False
    drops = [drop for key, drop in objects.items() if key not in installed.objects]
    with suppress(DatabaseError):  # an object that cannot be dropped alone is dropped with its schema
        _rows("default", "; ".join([*drops, installed.delete_rows]))
        [(size,)] = _rows(
            "default", "SELECT max(pg_relation_size(oid)) FROM unnest(%s::oid[]) AS oid", installed.relations
        )
        return int(size) < _MAX_TABLE_BYTES and installed.definitions == _definitions(installed.relations)
    return False


def _read_installed_contract() -> _InstalledContract:
    tables = _rows("default", _TABLES + " AND relkind = 'r'")
    sequences = _rows("default", _TABLES + " AND relkind = 'S'")
    relations = [oid for oid, _ in (*tables, *sequences)]
    return _InstalledContract(
        objects=frozenset(key for key, _ in _rows("default", _OBJECTS)),
        relations=relations,
        definitions=_definitions(relations),
        delete_rows="; ".join(
            [f"DELETE FROM {name}" for _, name in tables]
            + [f"SELECT setval('{name}', 1, false)" for _, name in sequences]
        ),
    )


def _definitions(relations: list[int]) -> str:
    [(digest,)] = _rows("default", _DEFINITIONS, relations)
    return str(digest)


def _schema_fingerprint() -> str:
    """Return a fingerprint of the schema in `default`: its objects, definitions and rows."""
    relations = _rows("default", "SELECT oid, oid::regclass::text, relkind FROM pg_class" + _WHERE_IN_SCHEMA)
    versions = [
        f"SELECT format('%s %s', last_value, is_called) FROM {name}"
        if kind == "S"
        else f"SELECT md5(string_agg(xmin::text, ',')) FROM {name}"
        for _, name, kind in relations
    ]
    rows = _rows("default", " UNION ALL ".join(versions)) if versions else []
    objects = sorted(key for key, _ in _rows("default", _OBJECTS))
    return " ".join([*objects, _definitions([oid for oid, *_ in relations]), *(str(row) for row in rows)])


def _database_identity(alias: str) -> tuple[int, int]:
    """Return an identity of a database that is unique among servers."""
    [(server, database)] = _rows(alias, _IDENTITY)
    return int(server), int(database)


def _check_name(alias: str) -> None:
    [(name,)] = _rows(alias, "SELECT current_database()")
    assert name.startswith("test_"), f"{name} is not a test database"


def _rows(alias: str, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connections[alias].cursor() as cursor:
        cursor.execute(statement, parameters or None)
        return list(cursor.fetchall()) if cursor.description else []
