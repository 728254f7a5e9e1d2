"""Column types of PostgreSQL that Django does not have."""

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

if TYPE_CHECKING:
    _CharField = models.CharField[str, str]
    _Field = models.Field[str | None, str | None]
else:  # Django's classes take no type arguments
    _CharField, _Field = models.CharField, models.Field


class FixedCharField(_CharField):
    """A text of exactly `max_length` characters."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str:  # noqa: ARG002  # only PostgreSQL is supported
        return f"char({self.max_length})"


class TransactionIdField(_Field):
    """The 64-bit id of a transaction (xid8), as a text of digits."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str:  # noqa: ARG002
        return "xid8"

    def from_db_value(self, value: Any, *_: object) -> str | None:
        return None if value is None else str(value)
