"""Finds rows of other tables that a deletion would delete or change."""

from psycopg import sql

from data_pipeline.postgres.statements import STATEMENTS
from data_pipeline.postgres.target_tables import TargetTable
from seeder.domain.human_format import format_count
from seeder.domain.view_names import ViewName
from seeder.postgres import sessions
from seeder.texts import Text


def find_dependents(database: str, target: TargetTable, condition: sql.Composable) -> str | None:
    """Return the number and table of rows that ON DELETE would change.

    The condition is that of the deleted rows of the target `t`. Foreign keys without an action are left out, because
    PostgreSQL refuses to delete what they refer to. None if there are no such rows.
    """
    for schema, name, columns, own_columns, operators in sessions.query(
        database, STATEMENTS["cascading_keys"], {"oid": target.oid}
    ):
        same_key = sql.SQL(" AND ").join(
            sql.SQL("t.{} {} r.{}").format(sql.Identifier(own), sql.SQL(equality), sql.Identifier(one))
            for one, own, equality in zip(columns, own_columns, operators, strict=True)
        )
        statement = sql.SQL("SELECT count(*) FROM {} AS r WHERE EXISTS (SELECT FROM {} AS t WHERE {} AND {})").format(
            sql.Identifier(schema, name), target.identifier, same_key, condition
        )
        if count := sessions.query(database, statement)[0][0]:
            return Text("{rows} of {table}", rows=format_count(count, "row"), table=ViewName(schema=schema, name=name))
    return None
