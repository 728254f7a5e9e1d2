"""The rules of `data_pipeline.domain.masking` as an expression over a text."""

from psycopg import sql

from data_pipeline.domain.dialects import Pii
from data_pipeline.postgres.sql_literals import text_literal


def masked_text(text: sql.Composable, pii: Pii, *, pads: tuple[sql.Composable, sql.Composable]) -> sql.Composed:
    """Return the expression of what is stored for a personal value.

    `pads` are two expressions of type bytea, the pads of `hash_pads`. Pass them as parameters, so that no statement
    contains the key.
    """
    if pii is Pii.DROP:
        return sql.Composed([sql.SQL("NULL::text")])
    if pii is Pii.MASK:
        letters, digits = text_literal("[A-Za-z]|[^\x01-\x7f]"), text_literal("[0-9]")
        return sql.SQL("regexp_replace(regexp_replace({} COLLATE \"C\", {}, 'x', 'g'), {}, '9', 'g')").format(
            text, letters, digits
        )
    inner, outer = pads
    return sql.SQL("encode(sha256({} || sha256({} || convert_to({}, 'UTF8'))), 'hex')").format(outer, inner, text)
