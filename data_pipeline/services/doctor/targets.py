"""Checks the tables that dialects name or that were loaded.

They must exist, have a key if the mode needs one, and be writable.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from data_pipeline import conf
from data_pipeline.domain.dialect_search import check_dialects
from data_pipeline.domain.dialects import Mode
from data_pipeline.postgres import doctor_facts
from data_pipeline.services.load_planning import find_table
from seeder.domain.view_names import ViewName
from seeder.errors import BadName
from seeder.services.doctor.check_types import CheckedDatabase, Diagnosis, error_problem, warning_problem
from seeder.texts import Text

DIALECT_INVALID = error_problem(
    name="dialect_invalid",
    area="loads",
    meaning=Text("A dialect in `DIALECT_FOLDERS` is invalid, so no file can be loaded with it."),
    fix=Text("Correct its file."),
)
TARGET_MISSING = warning_problem(
    name="target_missing",
    area="loads",
    meaning=Text("A dialect names a table that does not exist, so its files cannot be loaded."),
    fix=Text("Create the table, or correct the dialect's target."),
)
TARGET_WITHOUT_KEY = error_problem(
    name="target_without_key",
    area="loads",
    meaning=Text("A dialect with the mode upsert or snapshot has no key, and its table has no primary key."),
    fix=Text("Name the columns that identify a row in the dialect's `key`, or add a primary key."),
)
TARGET_FORBIDDEN = error_problem(
    name="target_forbidden",
    area="loads",
    meaning=Text("The role lacks a privilege on a table that is loaded."),
    fix=Text("The owner of the table can grant it."),
)

_NEEDED: Mapping[Mode, str] = {
    Mode.APPEND: "SELECT INSERT",
    Mode.UPSERT: "SELECT INSERT UPDATE",
    Mode.REPLACE: "SELECT INSERT UPDATE DELETE",
    Mode.SNAPSHOT: "SELECT INSERT UPDATE DELETE",
}


def check(database: CheckedDatabase) -> Iterator[Diagnosis]:
    if not (database.is_default and doctor_facts.has_tables(database.alias)):
        return
    settings = conf.load()
    dialects, errors = check_dialects(map(Path, settings.dialect_folders))  # the shipped ones are examples
    for error in errors:
        yield DIALECT_INVALID.found("DIALECT_FOLDERS", message=str(error))
    targets = [(one, find_table(database.alias, one.target, settings)) for one in dialects if one.target]
    needed = [(table, _NEEDED[dialect.mode or Mode.APPEND]) for dialect, table in targets]
    facts = {one.position: one for one in doctor_facts.target_facts(database.alias, needed)}
    for position, (dialect, table) in enumerate(targets):
        if position not in facts:
            message = Text("The dialect {dialect} names it, but it does not exist.", dialect=dialect.name)
            yield TARGET_MISSING.found(str(table), message=message)
        elif dialect.mode in {Mode.UPSERT, Mode.SNAPSHOT} and not (dialect.key or facts[position].has_key):
            message = Text(
                "The dialect {dialect} loads it with the mode {mode}, but nothing identifies a row.",
                dialect=dialect.name,
                mode=dialect.mode,
            )
            yield TARGET_WITHOUT_KEY.found(str(table), message=message)
    loaded = [(table, _NEEDED[Mode.APPEND]) for table in _loaded_tables(database.alias)]
    yield from _forbidden(database, [*needed, *loaded])


def _loaded_tables(database: str) -> Iterator[ViewName]:
    for target in doctor_facts.loaded_tables(database):
        try:
            yield ViewName.parse(target)
        except BadName:  # a caller of `process_once` can write any text
            continue


def _forbidden(database: CheckedDatabase, needed: Sequence[tuple[ViewName, str]]) -> Iterator[Diagnosis]:
    """Report each table once, with all missing privileges."""
    role = database.server.role
    missing: dict[str, set[str]] = {}
    for one in doctor_facts.target_facts(database.alias, needed):
        grants = missing.setdefault(one.quoted_name, set())
        if not one.can_use_schema:
            grants.add(f"GRANT USAGE ON SCHEMA {one.quoted_schema} TO {role};")
        grants |= {f"GRANT {privilege} ON {one.quoted_name} TO {role};" for privilege in one.missing}
    for table, grants in missing.items():
        if grants:
            yield TARGET_FORBIDDEN.found(table, sql="\n".join(sorted(grants)))
