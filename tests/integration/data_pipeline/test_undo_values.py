"""Values of every type, in tables of every kind, are restored by an undo."""

from contextlib import closing
from pathlib import Path

import pytest
from django.db import connection

from data_pipeline.services.tracking import track_loads
from tests.conftest import sql
from tests.integration.data_pipeline.undo_scene import FILES, LoadText, create_orders, loader, table_hash, undo

pytestmark = pytest.mark.usefixtures("load_tables")


@pytest.fixture
def load(tmp_path: Path, load_tables: None) -> LoadText:
    return loader(tmp_path)


@pytest.fixture(autouse=True)
def orders(load_tables: None) -> None:
    create_orders()


EVERY_TYPE = """
CREATE TYPE landing.pair AS (a integer, b text);
CREATE DOMAIN landing.short AS varchar(5);
CREATE TABLE landing."Every ""type"" 100%" (
    "the key" text PRIMARY KEY,
    always integer GENERATED ALWAYS AS IDENTITY,
    twice numeric GENERATED ALWAYS AS (n * 2) STORED,
    n numeric(12, 4), f double precision, j json, jb jsonb, arr text[], c char(5), b bytea, ts timestamp,
    tz timestamptz, d date, i interval, m money, p landing.pair, s landing.short, r int4range, bits bit(4),
    "%s {} 'q'" text, load_id bigint
);
INSERT INTO landing."Every ""type"" 100%" VALUES
    ('k1', DEFAULT, DEFAULT, 1.5000, '-0', '{"b":1, "a":  2}', 'null', '{a,NULL,"b c"}', 'ab', '\\x00ff', 'infinity',
     '0044-03-15 12:00:00.123456+00 BC', '4713-01-01 BC', '1 year -2 days', 12.50, '(1,"x y")', 'abc', '[1,5)', '1010',
     '100%', NULL),
    ('k2', DEFAULT, DEFAULT, NULL, 'NaN', NULL, NULL, NULL, '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'empty',
     NULL, '', NULL)
"""


@pytest.mark.parametrize("mode", ["upsert", "replace", "snapshot"])
def test_values_of_every_type_are_restored_exactly(load: LoadText, mode: str) -> None:
    sql(EVERY_TYPE)
    table = 'landing."Every ""type"" 100%"'
    track_loads(table)
    before, rows = table_hash(table), sql(f"SELECT t::text FROM {table} AS t ORDER BY 1")
    loaded = load("the key,n,f\nk1,2,3\nk3,1,1\n", mode, table)
    assert table_hash(table) != before
    undo(loaded.load_id)
    assert sql(f"SELECT t::text FROM {table} AS t ORDER BY 1") == rows
    assert table_hash(table) == before


def test_replaced_table_without_a_key_and_with_long_rows_is_restored(load: LoadText) -> None:
    columns = ", ".join(f"c{number} text" for number in range(120))
    sql(f"CREATE TABLE landing.wide ({columns}); INSERT INTO landing.wide (c0, c1) VALUES (repeat('x', 9000), NULL)")
    sql("INSERT INTO landing.wide SELECT * FROM landing.wide")
    track_loads("landing.wide")
    before = table_hash("landing.wide")
    loaded = load("c0\ny\n", "replace", "landing.wide")
    undo(loaded.load_id)
    assert table_hash("landing.wide") == before


@pytest.mark.parametrize("mode", FILES)
def test_rows_in_partitions_are_restored(load: LoadText, mode: str) -> None:
    sql(
        "CREATE TABLE landing.parts (id integer PRIMARY KEY, amount numeric, note text) PARTITION BY RANGE (id);"
        "CREATE TABLE landing.low PARTITION OF landing.parts FOR VALUES FROM (0) TO (3);"
        "CREATE TABLE landing.high PARTITION OF landing.parts DEFAULT;"
        "INSERT INTO landing.parts VALUES (1, 10, 'a'), (2, 20, NULL), (3, 30, '')"
    )
    track_loads("landing.parts")
    before = table_hash("landing.parts")
    loaded = load(FILES[mode], mode, "landing.parts")
    undo(loaded.load_id)
    assert table_hash("landing.parts") == before


def test_number_is_restored_with_all_digits_in_a_session_that_rounds(load: LoadText) -> None:
    sql("CREATE TABLE landing.sizes (id integer PRIMARY KEY, f double precision, r real)")
    sql("INSERT INTO landing.sizes VALUES (1, 0.12345678901234567, 0.12345678)")
    before = table_hash("landing.sizes")
    with closing(connection):  # ends the session
        sql("SET extra_float_digits = -5")
        loaded = load("id,f,r\n1,2,2\n", "upsert", "landing.sizes")
        undo(loaded.load_id)
    assert table_hash("landing.sizes") == before


def test_table_whose_key_is_computed_is_restored(load: LoadText) -> None:
    sql(
        "CREATE TABLE landing.sums (a integer, b integer GENERATED ALWAYS AS (a * 2) STORED, PRIMARY KEY (a, b));"
        "INSERT INTO landing.sums (a) VALUES (1), (2)"
    )
    track_loads("landing.sums")
    before = table_hash("landing.sums")
    loaded = load("a\n2\n3\n", "replace", "landing.sums")
    undo(loaded.load_id)
    assert table_hash("landing.sums") == before


@pytest.mark.parametrize("event", ["UPDATE", "DELETE"])
def test_row_that_a_trigger_kept_is_not_restored(load: LoadText, event: str) -> None:
    """What others do to the row after the load is not lost by the undo."""
    sql(
        "CREATE FUNCTION landing.keep() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$;"
        f"CREATE TRIGGER keep BEFORE {event} ON landing.orders FOR EACH ROW WHEN (OLD.id = 3)"
        " EXECUTE FUNCTION landing.keep()"
    )
    loaded = load(f"id,amount,note\n1,11,a\n2,20,\n{'3,31,b' if event == 'UPDATE' else ''}\n", "snapshot")
    assert (loaded.counts.rows_updated, loaded.counts.rows_deleted) == (1, 0)
    sql("ALTER TABLE landing.orders DISABLE TRIGGER keep; UPDATE landing.orders SET note = 'later' WHERE id = 3")
    undo(loaded.load_id)
    assert sql("SELECT id, amount, note FROM landing.orders ORDER BY 1") == [
        (1, 10, "a"),
        (2, 20, None),
        (3, 30, "later"),
    ]
