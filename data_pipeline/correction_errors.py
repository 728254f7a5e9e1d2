"""Expected errors of undos, replays and verifications. The docstring of an error is its message."""

from data_pipeline.errors import PipelineError, TargetError
from seeder.errors import UnknownObject


class ColumnsUnknown(PipelineError):
    """The columns of load {load_id} are not on record, because its header was never read. Correct its file instead."""


class BadCorrectionFile(PipelineError):
    """{path} is not a file of corrected rejects: {problem}. `manage.py rejects LOAD --csv FILE` writes one."""


class RejectsNotLoaded(PipelineError):
    """Corrected rejects cannot be loaded."""


class RejectsNotReplayable(RejectsNotLoaded):
    """The rejects of load {load_id} cannot be replayed: {reason}."""


class RejectsChanged(RejectsNotLoaded):
    """Rejects of load {load_id} were replayed or dismissed meanwhile by another process. Nothing was loaded. Write the
    open ones again, and correct those."""


class NothingReplayed(RejectsNotLoaded):
    """None of the {records} of load {load_id} could be loaded, so the rejects stay open. Record {record}: {problem}."""

    code = "nothing_replayed"


class BadCorrections(PipelineError):
    """The corrections of load {load_id} cannot be used: {problem}."""


class BundleNotWritten(PipelineError):
    """The debug bundle {path} cannot be written: {cause}. Name another file."""


class NotVerifiable(PipelineError):
    """Load {load_id} cannot be verified: none of its rows is in a table. `manage.py load_status` shows its state."""


class NotFileLoad(PipelineError):
    """Load {load_id} of {source} was not made by `load_file`, so it cannot be verified, and its rejects cannot be
    replayed. Run its connector again with another key."""


class NotReplayable(PipelineError):
    """Load {load_id} of {source} cannot be replayed, because it has no file and options on record. Run its connector
    again, or replay the rejects that it corrected."""


class UnknownLetter(UnknownObject, PipelineError):
    """There is no dead letter {load_id}: no such load has failed. `manage.py dead_letters` lists the open ones."""


class BadDayTemplate(PipelineError):
    """{template!r} is not a template of daily files: {problem}. Write {{date}} where the day stands, or a format such
    as {{date:%Y%m%d}}."""


class BadDayRange(PipelineError):
    """The days from {first} to {last} cannot be loaded: {problem}."""


class NotTrackable(TargetError):
    """{table} cannot be tracked: {problem}."""


class NotOwner(TargetError):
    """Only the owner of {table} can track it. Give the owner these statements: {statements}"""


class UndoRefused(PipelineError):
    """Load {load_id} cannot be undone: {reason}."""


class LaterLoads(UndoRefused):
    """Load {load_id} cannot be undone: {later} changed the same rows of {table} afterwards. Undo them first, in this
    order."""


class RowsChanged(UndoRefused):
    """Load {load_id} cannot be undone: {changed} of its {rows} in {table} were changed or deleted afterwards, but not
    by a load that is on record. If the table was partitioned, rewritten or restored since, verify the load, and use
    --force. Otherwise these changes are lost with --force."""


class OldValuesMissing(UndoRefused):
    """Load {load_id} cannot be undone: the previous values of {missing} are not kept. UNDO_DAYS was 0, they were
    pruned, or the key is not unique."""


class RestoredValueTaken(UndoRefused):
    """Load {load_id} cannot be undone, because another row of {table} has a value that would be restored: {detail}. If
    the load changed that row, too, drop {constraint}, undo the load, and create it again. Otherwise correct that row
    first."""
