"""Expected errors of dialects. The docstring of an error is its message."""

from data_pipeline.errors import PipelineError


class DialectError(PipelineError):
    """A dialect is invalid."""


class UnknownDialect(DialectError):
    """There is no dialect {dialect!r}.{suggestion} Known: {known}. A path ends with .toml."""


class DialectUnreadable(DialectError):
    """The dialect {dialect} cannot be read: {cause}. Correct its file."""


class UnknownDialectKey(DialectError):
    """The dialect {dialect} has the unknown key {key}.{suggestion} Allowed: {allowed}."""


class BadDialectValue(DialectError):
    """The dialect {dialect}, key {key}: {value!r} must be {expected}.{suggestion}"""


class AmbiguousHeader(DialectError):
    """The header fits the dialects {dialects} equally well. Choose one with --dialect."""


class DialectFileExists(DialectError):
    """{path} exists already. Use another name, or delete that file."""


class BadReference(DialectError):
    """The reference {reference} cannot be used: {problem}. Correct it, or the lookup in the dialect."""


class ReferenceNeedsDatabase(DialectError):
    """The lookup {lookup} reads the table {table}, but there are no Django settings. Set DJANGO_SETTINGS_MODULE, or
    name a file as its reference."""


class ReferenceChanged(DialectError):
    """The reference of the lookup {lookup} has other values than at the time of the load, or none is known."""
