"""Expected errors of data checks."""

from seeder.errors import SeederError, UnknownObject


class DataCheckError(SeederError):
    """A data check, a waiver or a file of checks is not accepted."""


class BadCheck(DataCheckError):
    """The data check {check} of {view} is invalid: {problem}."""


class BadCheckFile(DataCheckError):
    """{file} cannot be read as data checks: {problem}."""


class CheckTableUnusable(DataCheckError):
    """{reason}. {lost_feature} `manage.py doctor` says what to do."""


class NotHeld(DataCheckError):
    """{view} is not held{check}: {problem}. `manage.py refresh_status` has the held views."""


class HeldAgain(DataCheckError):
    """{view} was held again since run {run}, perhaps with other data. Look at the figures of run {last_run} first."""


class NoBaseline(DataCheckError):
    """The data check {check} would fail again if its values were accepted: it compares with no last accepted ones, or
    the number of rows is outside its min or max. Publish once with `manage.py waive_check`, or change the check."""


class ReasonMissing(DataCheckError):
    """Publishing data that fail a check needs a reason, which is stored and shown. Give one."""


class UnknownCheck(UnknownObject):
    """The view {view} has no data check {check!r}."""


class CheckExists(DataCheckError):
    """The view {view} already has a data check {check}. Change that one, or choose another name."""


class CheckChanged(DataCheckError):
    """The data check {check} of {view} was changed after you opened it, so nothing is stored. Open it again, and repeat
    your change."""


class CheckOfFile(DataCheckError):
    """The data check {check} of {view} is kept in the file {source}, so it cannot be changed here. Change the file, and
    run manage.py sync_checks."""


class SqlChecksOff(DataCheckError):
    """SQL of a data check of kind {kind} cannot be written here, because it runs as the refreshing role. An
    administrator can allow it with SEEDER_ALLOW_MANIFEST_EDITING=true."""


class ViewShared(DataCheckError):
    """The view {view} also belongs to agencies that you may not see, and this would affect them. Only a user of all its
    agencies can do it."""
