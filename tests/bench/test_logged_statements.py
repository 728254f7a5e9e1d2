"""Statements in the log of a server."""

from bench.probes.logged_statements import normalize, statements

LOG = """\
2026-01-01 00:00:00.000 UTC [7] LOG:  statement: BEGIN
2026-01-01 00:00:00.000 UTC [7] LOG:  execute <unnamed>: -- What it is for,
\t-- in two lines.
\tSELECT 1
\tFROM reporting.small_0001
2026-01-01 00:00:00.000 UTC [7] DETAIL:  Parameters: $1 = '1'
2026-01-01 00:00:00.000 UTC [8] ERROR:  no
2026-01-01 00:00:00.000 UTC [8] STATEMENT:  SELECT 2
2026-01-01 00:00:00.000 UTC [7] LOG:  statement: COMMIT
"""


def test_only_executed_statements_are_read_from_the_log() -> None:
    assert list(statements(LOG)) == ["BEGIN", "SELECT ? FROM «view»", "COMMIT"]


def test_normalized_statement_omits_values_and_numbers() -> None:
    first = """/* by "x" */ UPDATE t SET a = 'it''s', b = 7 WHERE c IN (1, 2, 3)"""
    second = "UPDATE  t SET a = 'x', b = 12 WHERE c IN (4, 5)"
    assert normalize(first) == normalize(second)
    assert normalize('SAVEPOINT "s140_x1"') == normalize('SAVEPOINT "s7_x22"')
