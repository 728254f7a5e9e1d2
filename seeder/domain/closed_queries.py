"""Whether the contents of a view follow from the rows that it reads: then its query is closed.

A closed query returns the same rows for the same input, catalog and settings of the session, for each role and at any
time. It is not closed if PostgreSQL does not guarantee that: what PostgreSQL does not know counts as a reason.

Some closed queries have several right answers, such as one with LIMIT. A repeatable query returns equal rows each time.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from seeder.texts import Text


class FactKind(StrEnum):
    """Kinds of facts about a query, as in the statement `query_facts`."""

    RELATION = "relation"  # property: relkind
    ACCESS_METHOD = "access_method"  # subject: a relation; property: its access method
    ROW_SECURITY = "row_security"  # subject: a relation
    CATALOG = "catalog"  # subject: a relation of the server
    FUNCTION = "function"  # property: provolatile of a function of the server; None of any other
    NODE = "node"  # subject: a kind of node in the query's tree
    TEXT_CONVERSION = "text_conversion"  # subject: the type, or its element type, made from text; property: typtype
    TYPE = "type"  # property: typtype of a type that does not belong to the server
    CLAUSE = "clause"  # subject: a clause whose result depends on the order of rows


@dataclass(frozen=True, slots=True)
class QueryFact:
    """One thing that a query uses."""

    kind: FactKind
    subject: str
    property: str | None = None


def reasons_not_closed(facts: Iterable[QueryFact]) -> tuple[str, ...]:
    """Return why a query is not closed, as ends of a sentence about the view. Nothing if it is."""
    return tuple(sorted({reason for fact in facts if (reason := _reason(fact)) is not None}))


def reasons_not_repeatable(facts: Iterable[QueryFact]) -> tuple[str, ...]:
    """Return why a query can return other rows when it is repeated at the same snapshot. Nothing if it cannot."""
    facts = tuple(facts)
    by_order = {reason for fact in facts if (reason := _order_reason(fact)) is not None}
    return (*reasons_not_closed(facts), *sorted(by_order))


def reads_only_its_row(facts: Iterable[QueryFact]) -> bool:
    """Return whether an expression on a row without a table reads nothing else, in one transaction.

    Its time is that of the transaction. What PostgreSQL does not know counts as another relation.
    """
    facts = [fact for fact in facts if fact not in _FIXED_IN_TRANSACTION]
    relations = [fact for fact in facts if fact.kind is FactKind.RELATION]
    return len(relations) == 1 and not reasons_not_closed(facts)  # the view that has the expression


def _order_reason(fact: QueryFact) -> Text | None:
    subject = fact.subject
    if fact.kind is FactKind.CLAUSE:
        return Text("uses {clause}, so it can return other rows each time", clause=subject)
    name, _, arguments = subject.partition("(")
    is_rounded = name in _ROUNDED and ("float4" in arguments or "float8" in arguments)
    if fact.kind is FactKind.FUNCTION and (name in _DEPEND_ON_ORDER or is_rounded):
        return Text("calls {function}, whose result can depend on the order in which rows are read", function=subject)
    return None


def _reason(fact: QueryFact) -> Text | None:  # noqa: C901  # one line for each kind
    reason: Text | None = None
    match fact:
        case QueryFact(FactKind.RELATION, name, "f"):
            reason = Text("reads the foreign table {table}", table=name)
        case QueryFact(FactKind.RELATION, name, "S"):
            reason = Text("reads the sequence {sequence}", sequence=name)
        case QueryFact(FactKind.ACCESS_METHOD, name, method) if method != "heap":
            reason = Text("reads {table}, whose access method is {method}", table=name, method=method)
        case QueryFact(FactKind.ROW_SECURITY, name):
            reason = Text("reads {table}, which has row-level security", table=name)
        case QueryFact(FactKind.CATALOG, name):
            reason = Text("reads the system catalog {table}", table=name)
        case QueryFact(FactKind.FUNCTION, name) if fact.property != "i" and not _depends_on_settings_only(fact):
            reason = _function_reason(name, fact.property)
        case QueryFact(FactKind.NODE, name):
            reason = _NODES.get(name)
        case QueryFact(FactKind.TEXT_CONVERSION, name, kind) if name not in _TYPES_FROM_TEXT and kind != "e":
            reason = Text("converts text to {type}, for which PostgreSQL accepts words such as 'today'", type=name)
        case QueryFact(FactKind.TYPE, name, None):
            reason = Text("uses the type {type}, whose values are names in the system catalog", type=name)
        case QueryFact(FactKind.TYPE, name, kind) if kind not in _OWN_TYPES:
            reason = Text("uses the type {type}, whose functions PostgreSQL does not check", type=name)
    return reason


def _function_reason(name: str, volatility: str | None) -> Text:
    if volatility is None:
        return Text("calls {function}, which PostgreSQL does not check", function=name)
    if volatility == "v":
        return Text("calls {function}, which is volatile", function=name)
    return Text("calls {function}, which can depend on the time, the session or other rows", function=name)


def _depends_on_settings_only(function: QueryFact) -> bool:
    """Return whether a function of the server depends on settings only. One of a user can have the same name."""
    return function.property == "s" and function.subject in _SETTINGS_ONLY


_OWN_TYPES = {"c", "d", "e"}  # composite types, domains and enums have no functions of their own
# Aggregates and window functions whose result depends on the order of rows, also of equal ones after an ORDER BY.
_DEPEND_ON_ORDER = frozenset(
    re.findall(
        r"\S+",
        """
        array_agg string_agg any_value xmlagg json_agg json_agg_strict jsonb_agg jsonb_agg_strict
        json_object_agg json_object_agg_strict json_object_agg_unique json_object_agg_unique_strict
        jsonb_object_agg jsonb_object_agg_strict jsonb_object_agg_unique jsonb_object_agg_unique_strict
        row_number ntile lag lead first_value last_value nth_value
        """,
    )
)
# Aggregates that round after each row of floating-point numbers.
_ROUNDED = frozenset(
    re.findall(
        r"\S+",
        """
        sum avg stddev stddev_pop stddev_samp variance var_pop var_samp corr covar_pop covar_samp regr_avgx regr_avgy
        regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy
        """,
    )
)
_NODES = {
    "SQLVALUEFUNCTION": Text("uses the time or the user (CURRENT_...)"),
    "TABLESAMPLECLAUSE": Text("takes a random sample"),
    "ROWMARKCLAUSE": Text("locks rows (FOR UPDATE or FOR SHARE)"),
    "XMLEXPR": Text("builds XML"),
    "TABLEFUNC": Text("uses XMLTABLE or JSON_TABLE"),
    "JSONEXPR": Text("uses JSON_VALUE, JSON_QUERY or JSON_EXISTS"),
}
_FIXED_IN_TRANSACTION = {
    *(QueryFact(FactKind.FUNCTION, name, "s") for name in ("now()", "transaction_timestamp()")),
    QueryFact(FactKind.NODE, "SQLVALUEFUNCTION"),
    *(
        QueryFact(FactKind.TEXT_CONVERSION, name, "b")
        for name in ("date", "time", "timetz", "timestamp", "timestamptz", "interval")
    ),
}

# Types whose input functions depend on nothing else. Those of dates and times accept words such as 'now'.
_TYPES_FROM_TEXT = frozenset(
    re.findall(
        r"\S+",
        """
        text varchar bpchar name char int2 int4 int8 numeric float4 float8 bool uuid json jsonb bytea oid bit varbit
        inet cidr
        """,
    )
)

# Functions of the server that are stable only because they depend on settings, such as TimeZone and DateStyle.
_WITH_TIME_ZONE = ("date timestamptz", "timestamp timestamptz", "timestamptz date", "timestamptz timestamp")
_SETTINGS_ONLY = frozenset(
    re.findall(
        r"\S+",
        """
        date_trunc(text,timestamptz) date_trunc(text,timestamptz,text) date_part(text,timestamptz)
        extract(text,timestamptz) timezone(timestamptz) timezone(timestamp) date_add(timestamptz,interval)
        date_subtract(timestamptz,interval) timestamptz_pl_interval(timestamptz,interval)
        timestamptz_mi_interval(timestamptz,interval) interval_pl_timestamptz(interval,timestamptz)
        generate_series(timestamptz,timestamptz,interval) in_range(timestamptz,timestamptz,interval,bool,bool)
        date(timestamptz) time(timestamptz) timetz(timestamptz) timestamp(timestamptz) timestamptz(timestamp)
        timestamptz(date) timestamptz(date,time)
        to_char(timestamptz,text) to_char(timestamp,text) to_char(interval,text) to_char(numeric,text)
        to_char(int4,text) to_char(int8,text) to_char(float4,text) to_char(float8,text)
        to_date(text,text) to_timestamp(text,text) to_number(text,text)
        concat(any) concat_ws(text,any) format(text) format(text,any) textanycat(text,anynonarray)
        anytextcat(anynonarray,text) array_to_string(anyarray,text) array_to_string(anyarray,text,text)
        quote_literal(anyelement) quote_nullable(anyelement)
        to_json(anyelement) to_jsonb(anyelement) row_to_json(record) row_to_json(record,bool) array_to_json(anyarray)
        array_to_json(anyarray,bool) json_build_object() json_build_object(any) jsonb_build_object()
        jsonb_build_object(any) json_build_array() json_build_array(any) jsonb_build_array() jsonb_build_array(any)
        json_agg(anyelement) json_agg_strict(anyelement) jsonb_agg(anyelement) jsonb_agg_strict(anyelement)
        json_object_agg(any,any) json_object_agg_strict(any,any) json_object_agg_unique(any,any)
        json_object_agg_unique_strict(any,any)
        """,
    )
) | {
    "{0}_{2}_{1}({0},{1})".format(*types.split(), operation)
    for types in _WITH_TIME_ZONE
    for operation in ("eq", "ne", "lt", "le", "gt", "ge", "cmp")
}
