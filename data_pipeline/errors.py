"""Expected errors of the loading lane. The docstring of an error is its message, as in `seeder.errors`."""

from seeder.errors import SeederError


class PipelineError(SeederError):
    """Base class of expected errors of the loading lane."""


class InsideTransaction(PipelineError):
    """{operation} was called inside a transaction of {alias!r}. It commits itself, so call it outside of `atomic()`."""


class BadSource(PipelineError):
    """{source!r} is not a source: it must be 1 to 128 characters that PostgreSQL can store."""


class BadIdempotencyKey(PipelineError):
    """{key!r} is not an idempotency key: it must be 64 hexadecimal digits in lower case, as `compute_idempotency_key`
    returns them."""


class NothingToIdentify(PipelineError):
    """Nothing identifies the artefact: give stable metadata of a remote object, the path of a local file, or a
    payload."""


class LoadInProgress(PipelineError):
    """{source} {key} is being loaded by {worker}. Try again when that load has ended."""


class LoadTakenOver(PipelineError):
    """Load {load_id} of {source} was taken over by another process while this one had lost its connection. This
    attempt was rolled back; see the load for the outcome."""


class UnknownLoad(PipelineError):
    """There is no load {load_id}. `manage.py load_status` lists the last ones."""


class ArtefactError(PipelineError):
    """An artefact cannot be read."""


class TargetError(PipelineError):
    """A table cannot be loaded."""


class UnknownTarget(TargetError):
    """There is no table {table!r}.{suggestion} Create it, or load with --table auto."""


class DialectError(PipelineError):
    """A dialect is invalid."""


class HeaderRefused(PipelineError):
    """The header of {artefact} does not match {table}: {problem}."""
