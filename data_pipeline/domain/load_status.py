"""The status of a load."""

from enum import StrEnum


class LoadStatus(StrEnum):
    """The closed set of the column `load_log.status`."""

    PENDING = "pending"  # being loaded, or left by a process that was killed
    SUCCESS = "success"
    SKIPPED = "skipped"  # a duplicate of an earlier success, whose rows are in the table
    FAILED = "failed"
