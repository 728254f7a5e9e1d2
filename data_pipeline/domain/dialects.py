"""Dialects: the format of files of one kind, and their columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Mode(StrEnum):
    """How the rows of a load are merged into the table."""

    APPEND = "append"
    UPSERT = "upsert"
    REPLACE = "replace"
    SNAPSHOT = "snapshot"


class Surplus(StrEnum):
    """What happens to surplus columns, which the table does not have."""

    REFUSE = "refuse"  # the header is refused
    ADD = "add"  # the table gets a nullable column
    RESCUE = "rescue"  # the values are kept together in one jsonb column


class Rule(StrEnum):
    """How the text of a column is normalized before PostgreSQL reads it."""

    TRIM = "trim"
    UPPER = "upper"
    LOWER = "lower"
    CURRENCY = "currency"
    DECIMAL = "decimal"
    DATE = "date"
    TIMESTAMP = "timestamp"
    BOOLEAN = "boolean"
    MAP = "map"


NUMBER_RULES = frozenset((Rule.CURRENCY, Rule.DECIMAL))
TIME_RULES = frozenset((Rule.DATE, Rule.TIMESTAMP))


class Pii(StrEnum):
    """What is stored instead of a personal value."""

    DROP = "drop"
    MASK = "mask"
    HASH = "hash"


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """A column of the table, and its spelling in the file."""

    name: str  # in the table
    type: str | None = None  # of PostgreSQL; None for the table's
    aliases: Sequence[str] = ()  # other names in the header
    required: bool = False  # the header must have it
    rule: Rule | None = None
    decimal_mark: str = "."  # of the rules decimal and currency
    group_mark: str | None = None  # " " for any space, "" for no groups, None for any customary mark
    currency: str | None = None  # ISO 4217; amounts of another currency are refused
    formats: Sequence[str] = ()  # of the rules date and timestamp; none for ISO 8601
    values: Mapping[str, str] = field(default_factory=dict)  # of the rule map; an empty text for NULL
    pii: Pii | None = None

    @property
    def needs_normalizing(self) -> bool:
        """Whether values are changed before PostgreSQL reads them."""
        return self.rule is not None or self.pii is not None


class Missing(StrEnum):
    """What happens to a record whose value is not in a reference."""

    REJECT = "reject"
    NULL = "null"


@dataclass(frozen=True, kw_only=True, slots=True)
class Lookup:
    """A column that transforms add, with values of a reference.

    That is either a file or a table.
    """

    name: str
    column: str  # of the dialect, whose canonical values are looked up
    reference: str | None = None  # address of a CSV file or workbook
    table: str | None = None  # "schema.table" of a table or view in the database
    match: str  # column of the reference that has these values
    take: str  # column of the reference that has the added ones
    missing: Missing = Missing.REJECT

    @property
    def source(self) -> str:
        """The file or the table, for messages."""
        return self.table or self.reference or ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Dialect:
    """The format, the columns and the table of files of one kind."""

    name: str
    delimiter: str = ","  # one ASCII character
    quote: str = '"'  # one ASCII character
    encoding: str | None = None  # None if the file must be UTF-8
    null_words: Sequence[str] = ()  # besides the empty field
    decimal_mark: str = "."  # of columns without their own
    group_mark: str | None = None  # of columns without their own
    date_formats: Sequence[str] = ()  # of columns without their own; none for ISO 8601
    target: str | None = None  # "schema.table" or "table"
    key: Sequence[str] = ()  # columns of the table that identify a row
    mode: Mode | None = None
    surplus: Surplus = Surplus.REFUSE
    rescue_column: str = "rescued"  # column of type jsonb for the values of surplus columns
    sheet: str | None = None  # of a workbook; None for its only visible one
    columns: Sequence[Column] = ()
    lookups: Sequence[Lookup] = ()

    def find_column(self, name: str) -> Column | None:
        """Return the column of the dialect with this name, or None."""
        return next((column for column in self.columns if column.name == name), None)
