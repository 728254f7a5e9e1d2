"""Expected errors of the loading lane. The docstring of an error is its message, as in `seeder.errors`."""

from seeder.errors import SeederError, UnknownObject


class PipelineError(SeederError):
    """A load cannot be made, found or corrected."""


class RelationMissing(PipelineError):
    """The database {database!r} at {address} lacks a table or a column: {cause}. `manage.py migrate data_pipeline`
    creates the tables of loads. The loaded table belongs to its owner."""


class InsideTransaction(PipelineError):
    """{operation} was called inside a transaction of {alias!r}. It commits itself, so call it outside of `atomic()`."""


class AutocommitOff(PipelineError):
    """{operation} commits itself, but autocommit is off for {alias!r}, so nothing would be committed. Remove AUTOCOMMIT
    from DATABASES, or call `transaction.set_autocommit(True)` before."""


class BadSource(PipelineError):
    """{source!r} is not a source: it must be 1 to 128 characters that PostgreSQL can store."""


class BadIdempotencyKey(PipelineError):
    """{key!r} is not an idempotency key: it must be 64 hexadecimal digits in lower case, as `compute_idempotency_key`
    returns them."""


class NothingToIdentify(PipelineError):
    """Nothing identifies the artefact: give stable metadata of a remote object, the path of a local file, or a
    payload."""


class LoadInProgress(PipelineError):
    """{artefact} is being loaded by {worker}. Try again when that load has ended."""


class LoadTakenOver(PipelineError):
    """Load {load_id} of {source} was taken over by another process while this one had lost its connection. This
    attempt was rolled back. `manage.py load_status` shows the outcome."""


class UnknownLoad(UnknownObject, PipelineError):
    """There is no load {load_id}. `manage.py load_status` lists the last ones."""


class UnknownLoadRequest(UnknownObject, PipelineError):
    """There is no request {request_id}. `manage.py load_status` lists the unfinished and the failed ones."""


class TargetError(PipelineError):
    """A table cannot be loaded."""


class UnknownTarget(TargetError):
    """There is no table {table}.{suggestion} Create it, name another one with its schema, or load with --table auto."""


class TableNotTracked(TargetError):
    """{file} belongs to the table {table} by its name, but that table has no column load_id, so no load created it. If
    the file belongs there, name the table with --table."""


class NotLoadable(TargetError):
    """{table} is {kind}, but only tables can be loaded. Name a table."""


class TableOfLoads(TargetError):
    """{table} keeps the records of the loads themselves, so no file can be loaded into it. Name another table."""


class TableHasRule(TargetError):
    """{table} has the rule {rule}, but COPY does not run rules. Replace it by a trigger, or drop it."""


class TableHasChildren(TargetError):
    """{table} cannot be loaded with the mode {mode}: {child} inherits from it, so rows of that table would be changed
    or deleted, too. Load the tables that inherit, make them partitions, or load with the mode append."""


class TooManyColumns(TargetError):
    """The load needs a temporary table with a record number beside {columns} columns, but PostgreSQL allows 1,600 in
    all. The mode append without a dialect needs none, unless the table has row security or refers to itself.
    Otherwise, leave out columns of the file."""


class RowsReferenced(TargetError):
    """{table} cannot be loaded with the mode {mode}: with its deleted rows, ON DELETE would delete or change
    {dependents}, which no undo restores. Delete these before, or load with the mode upsert."""


class KeyMissing(TargetError):
    """{table} cannot be loaded with the mode {mode}: it has no primary key, and the dialect names no key. Name the
    columns that identify a row."""


class KeyNotInFile(TargetError):
    """{table} cannot be loaded with the mode {mode}: the file has no column for the key column {column!r}."""


class KeyNotUnique(TargetError):
    """{table} cannot be loaded with the mode {mode}: {rows} of the table have the key ({key}) of record {record}.
    Name columns that identify one row."""


class ColumnsNotAdded(TargetError):
    """Only the owner of {table} can add the columns of the file. Give the owner this statement: {statement}"""


class RescueColumnMissing(TargetError):
    """{table} has no column {column} of type jsonb for the values of the columns {surplus}. Add it: ALTER TABLE {table}
    ADD COLUMN {column} jsonb"""


class TableBusy(TargetError):
    """{table} is in use: its lock was not granted within {seconds} s. Try again when no long transaction uses it."""


class SequenceNotHeld(TargetError):
    """{table} cannot be loaded on trial: its sequence {sequence} belongs to another role, so the numbers that a dry run
    draws would be lost. Run it as the owner of the sequence."""


class TooManyRejects(PipelineError):
    """{rejected} of {records} records were rejected, but the limit is {limit}. Nothing was loaded. The first one is
    {place}: {problem}. `manage.py rejects {load_id}` lists them."""

    code = "too_many_rejects"


class KeysUnreadable(TooManyRejects):
    """{unreadable} of {rejected} rejected records have no key that can be read, and the snapshot would delete the rows
    that they belong to. Nothing was loaded. The first one is {place}: {problem}. Correct the file, or load it with the
    mode upsert, which deletes nothing. `manage.py rejects {load_id}` lists them."""


class HeaderRefused(PipelineError):
    """The header of {artefact} does not match {table}: {problem}. Correct the file, or declare its columns in a
    dialect."""


class BadRecord(PipelineError):
    """Record {record} cannot be loaded into {table}: {problem}."""


class NothingToReplaceWith(PipelineError):
    """No record was given for {table}. With the mode {mode}, all of its rows would be deleted. If that is meant, delete
    them yourself."""


class BadRow(PipelineError):
    """{model}.{field} is {value!r}, but must be {expected}."""


class PiiKeyMissing(PipelineError):
    """A column is stored as a keyed hash, but PII_HASH_KEY is empty. Set it to a random secret of 32 characters or
    more."""


class NormalizingNeedsUtf8(PipelineError):
    """The dialect normalizes values, which needs a database in UTF-8, but that of {alias!r} is in {encoding}. Load the
    file into a database in UTF-8, or without a dialect."""
