"""Records with several problems: all bad values, and all violated CHECK constraints."""

from pathlib import Path

import pytest

from tests.acceptance.data_pipeline.file_loads import TABLE, Bad, create, load, rejects, rows
from tests.conftest import sql

pytestmark = pytest.mark.usefixtures("load_tables")
COLUMNS = (
    "id integer PRIMARY KEY, amount numeric NOT NULL CHECK (amount > 0), day date, name text DEFAULT 'x',"
    " note text, CHECK (name <> 'bad'), CHECK (amount < 100 OR day IS NOT NULL), CHECK (length(note) > 2)"
)
CONTENT = b"""\
id,amount,day,name
1,-1,2025-02-30,bad
x,200,,ok
2,-1,2025-01-01,bad
3,200,nope,ok
4,1,2025-01-01,ok
5,200,,bad
"""
BAD = [
    Bad(2, 1, b"1,-1,2025-02-30,bad", {"day": "22008", "amount": "23514", "name": "23514"}),
    Bad(3, 2, b"x,200,,ok", {"id": "22P02", None: "23514"}),
    Bad(4, 3, b"2,-1,2025-01-01,bad", {"amount": "23514", "name": "23514"}),
    Bad(5, 4, b"3,200,nope,ok", {"day": "22007"}),  # one check needs the bad value
    Bad(7, 6, b"5,200,,bad", {None: "23514", "name": "23514"}),
]


@pytest.mark.parametrize("mode", ["append", "upsert"])
def test_all_checks_that_a_record_violates_are_kept(tmp_path: Path, mode: str) -> None:
    create(COLUMNS)
    loaded = load(tmp_path, CONTENT, mode=mode)
    assert rejects(loaded) == BAD
    assert rows("id") == [(4,)]
    reasons = [str(one) for one in loaded.rejects[2].problems]
    assert sorted(reasons) == [
        'amount: new row for relation "orders" violates check constraint "orders_amount_check"',
        'name: new row for relation "orders" violates check constraint "orders_name_check"',
    ]


def test_checks_of_an_update_are_all_kept(tmp_path: Path) -> None:
    create(COLUMNS)
    sql(f"INSERT INTO {TABLE} VALUES (2, 1), (5, 1)")
    assert rejects(load(tmp_path, CONTENT, mode="upsert")) == BAD
    assert [str(amount) for (amount,) in sql(f"SELECT amount FROM {TABLE} ORDER BY id")] == ["1", "1", "1"]


def test_normalized_values_are_checked(tmp_path: Path) -> None:
    create(COLUMNS)
    dialect = 'delimiter = ";"\n[columns.amount]\nrule = "decimal"\ndecimal_mark = ","\n[columns.name]\nrule = "trim"\n'
    loaded = load(tmp_path, b"id;amount;name\nx;-1,5; bad \n7;1;ok\n", dialect=dialect)
    assert rejects(loaded) == [Bad(2, 1, b"x;-1,5; bad ", {"id": "22P02", "amount": "23514", "name": "23514"})]


def test_check_that_raises_an_error_hides_no_problem(tmp_path: Path) -> None:
    create("id integer, n integer CHECK (10 / n > 1), m integer CHECK (m > 0)")
    loaded = load(tmp_path, b"id,n,m\nx,0,-1\n2,5,1\n")
    assert rejects(loaded) == [Bad(2, 1, b"x,0,-1", {"id": "22P02"})]


def test_trigger_can_correct_what_a_check_refuses(tmp_path: Path) -> None:
    create("id integer, n integer CHECK (n > 0)")
    sql(
        "CREATE FUNCTION landing.correct() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN NEW.n = abs(NEW.n); RETURN NEW; END$$;"
        f"CREATE TRIGGER correct BEFORE INSERT ON {TABLE} FOR EACH ROW EXECUTE FUNCTION landing.correct()"
    )
    loaded = load(tmp_path, b"id,n\nx,-1\n2,-5\n")
    assert rejects(loaded) == [Bad(2, 1, b"x,-1", {"id": "22P02"})]
    assert rows() == [(2, 5)]


def test_check_that_is_not_enforced_is_no_problem(tmp_path: Path) -> None:
    if sql("SELECT current_setting('server_version_num')::integer < 180000") == [(True,)]:
        pytest.skip("before PostgreSQL 18, all checks are enforced")
    create("id integer, n integer, CHECK (n > 0) NOT ENFORCED")
    assert rejects(load(tmp_path, b"id,n\nx,-1\n2,5\n")) == [Bad(2, 1, b"x,-1", {"id": "22P02"})]
