"""Words of the commands of loads that are in no catalog. Each message is marked, as in `test_untranslated_words`."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.acceptance.terminal_output import plain_text, run_on_terminal
from tests.conftest import CompletedCommand, create_custom_manifest, sql
from tests.pseudo_locale import words_outside

Manage = Callable[..., CompletedCommand]

# What stays English, as regular expressions: names, SQL, stored texts, and what PostgreSQL says.
ALLOWED = (
    r"\bCommandError\b",  # by Django
    r"(?m)(landing\.v is a view, but|The header of odd\.csv|missing data: the record) .*$",  # stored errors and reasons
    r"(?m)^(ALTER|ANALYZE|BEGIN|COMMIT|CREATE|INSERT|LOCK|SELECT)\b[^;]*;",
    r"\b(landing|reporting)\.\w+",
    r"(file://)?[\w/-]*/[\w./-]+|\b[\w-]+\.(csv|toml|zip)\b|\bx://",
    r"\bmanage\.py [\w -]+",
    r"\b(id|amount|note|load_file|generic|prices|rates|returns_report|UTC|B|kB|Dec)\b|'(colour|nosuch)'",
    r"(?m)\| .*$",  # a record
    r"invalid input syntax for type \w+|null value in column|violates not-null constraint",
    r"\b\d{8}-\d{6}-[0-9a-f]{8}\b",  # a run
)
COMMANDS = (
    "track_loads landing.orders --dry-run",
    "track_loads landing.orders",
    "load_file orders.csv --table landing.orders",
    "load_file orders.csv --table landing.orders --max-rejects 9 --dry-run",
    "load_file orders.csv --table landing.orders --max-rejects 9",
    "load_file good.csv missing.csv odd.csv --table landing.orders",
    "load_file good.csv --table landing.v",
    "load_file x://good.csv --table landing.orders",
    "load_file good.csv --dialect nosuch",
    "load_file good.csv --table landing.orders --force --queue",
    "load_status",
    "load_status --late-after 0",
    "rejects 1",
    "rejects 1 --limit 1",
    "rejects 1 --csv corrected.csv",
    "rejects 1 --replay corrected.csv",
    "rejects 1 --dismiss",
    "rejects 99",
    "verify_load 2",
    "undo_load 2 --dry-run",
    "undo_load 2",
    "undo_load 2",
    "replay 2",
    "dead_letters",
    "dead_letters --all",
    "dead_letters --replay",
    "dead_letters 3 --dismiss",
    "backfill d-{date}.csv --table landing.orders --from 2025-01-01 --to 2025-01-02 --dry-run",
    "backfill d-{date}.csv --table landing.orders --from 2025-01-01 --to 2025-01-02",
    "backfill d-1.csv --from 2025-01-01 --to 2025-01-02",
    "prune_loads --dry-run",
    "prune_loads --days 3",
    "recover_loads",
    "infer_contract good.csv --out inferred.toml",
    "debug_bundle bundle.zip",
    "partition_table landing.periods --by at --every month",
    "partition_table landing.periods --by at --every month --apply",
)


@pytest.fixture
def folder(load_tables: None, contract_tables: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table, a view that depends on it, and files: a good one, one with bad records, and a malformed one."""
    monkeypatch.chdir(tmp_path)
    sql("CREATE TABLE landing.orders (id integer PRIMARY KEY, amount numeric NOT NULL, note text)")
    sql("CREATE VIEW landing.v AS SELECT 1 AS n; CREATE TABLE landing.periods (id integer, at date NOT NULL)")
    create_custom_manifest("reporting.by_order", "SELECT count(*) AS n FROM landing.orders")
    files = {
        "orders.csv": 'id,amount,note\n1,10,a\nx,20,b\n3,,""\n4,40\n',
        "good.csv": "id,amount,note\n11,1,a\n12,1,a\n",
        "odd.csv": "id,colour\n1,1\n",
        "d-2025-01-01.csv": "id,amount,note\n71,1,a\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_output_of_commands_of_loads_has_only_translated_words(
    manage: Manage, folder: Path, marked_messages: None, settings: Settings
) -> None:
    settings.DATA_PIPELINE = {"RETURNS_PARTITION_SCAFFOLD": True}
    left = {}
    for command in COMMANDS:
        ended = manage(*command.split(), COLUMNS="400")
        shown = ended.out + ended.err
        assert "⟦" in shown, command
        left[command] = words_outside(shown, ALLOWED)
    assert {command: words for command, words in left.items() if words} == {}


def test_terminal_of_a_load_shows_only_translated_words(folder: Path, marked_messages: None) -> None:
    for command in ("load_file orders.csv --table landing.orders --max-rejects 9", "load_status", "rejects 1"):
        _, drawn = run_on_terminal(*command.split(), COLUMNS="400")
        assert words_outside(plain_text(drawn), ALLOWED) == [], command
