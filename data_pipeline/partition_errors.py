"""Expected errors of partitioning. The docstring of an error is its message."""

from data_pipeline.errors import PipelineError, TargetError


class PartitioningOff(PipelineError):
    """Tables are partitioned only if RETURNS_PARTITION_SCAFFOLD is 1. Set it, and try the command on a copy of the
    database before."""


class NotPartitionable(TargetError):
    """{table} cannot be partitioned by {column}: {problems}. Nothing has changed."""


class PartitioningFailed(TargetError):
    """{table} was not partitioned, and nothing has changed. PostgreSQL refused the statement {statement!r}: {cause}."""


class RowsDiffer(TargetError):
    """{table} was not partitioned, and nothing has changed: the copied rows differ from those of the table. Report it,
    with the definition of the table."""
