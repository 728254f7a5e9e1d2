"""Expected errors of data checks."""

from seeder.errors import SeederError


class DataCheckError(SeederError):
    """A data check, a waiver or a file of checks is not accepted."""


class BadCheck(DataCheckError):
    """The data check {check} of {view} is invalid: {problem}."""


class BadCheckFile(DataCheckError):
    """{file} cannot be read as data checks: {problem}."""


class CheckTableUnusable(DataCheckError):
    """{reason}. Without it {lost_feature} `manage.py doctor` says what to do."""


class NotHeld(DataCheckError):
    """{view} is not held{check}: its last refresh {outcome}. `manage.py refresh_status` has the held views."""


class HeldAgain(DataCheckError):
    """{view} was held again since run {run}, perhaps with other data. Look at the figures of run {last_run} first."""


class NoBaseline(DataCheckError):
    """The data check {check} compares with no last accepted values, so there are none to replace. Publish once with
    `manage.py waive_check`, or change the check."""


class ReasonMissing(DataCheckError):
    """Publishing data that fail a check needs a reason, which is stored and shown. Give one."""
