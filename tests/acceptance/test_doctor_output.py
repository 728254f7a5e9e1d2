"""What the doctor prints, and its exit codes."""

import re

import pytest

from tests.acceptance.doctor_database import ROLE, Doctor, Manage, execute_as_owner, manifest, names, only
from tests.acceptance.terminal_output import plain_text, run_on_terminal
from tests.acceptance.test_bad_input import only_line
from tests.conftest import need_statements

pytestmark = pytest.mark.usefixtures("healthy_database")


def test_healthy_database_is_one_line(manage: Manage) -> None:
    need_statements()
    ended = manage("doctor", DB_USER=ROLE)
    assert (ended.exit_code, ended.err) == (0, "")
    [line] = ended.lines
    assert re.fullmatch(rf"No problems: default: PostgreSQL \S.*, as {ROLE}, 1 view in manifests\.", line)
    assert manage("doctor", "--fail-level", "info", DB_USER=ROLE).exit_code == 0
    assert manage("doctor", "--json", DB_USER=ROLE).document["diagnoses"] == []


def test_json_names_the_checked_databases(manage: Manage) -> None:
    [database] = manage("doctor", "--json", DB_USER=ROLE).document["databases"]
    assert database.pop("serverVersion").startswith("PostgreSQL ")
    assert database == {"alias": "default", "role": ROLE, "viewCount": 1}


def test_exit_code_depends_on_the_fail_level(manage: Manage) -> None:
    execute_as_owner(manifest("reporting.a"))
    assert manage("doctor", DB_USER=ROLE).exit_code == 0
    assert manage("doctor", "--fail-level", "WARNING", DB_USER=ROLE).exit_code == 1
    execute_as_owner(manifest("a.b.c"))
    assert manage("doctor", DB_USER=ROLE).exit_code == 1


def test_unreachable_default_database_is_one_line(manage: Manage) -> None:
    assert "Cannot connect to PostgreSQL at /nowhere" in only_line(manage("doctor", DB_HOST="/nowhere"))
    assert "invalid choice: 'BAD'" in only_line(manage("doctor", "--fail-level", "bad"))
    assert "SEEDER_MAX_WORKERS" in only_line(manage("doctor", SEEDER_MAX_WORKERS="lots"))


def test_similar_problems_are_grouped_unless_all_are_requested(manage: Manage) -> None:
    for number in range(9):
        execute_as_owner(manifest(f"reporting.new_{number}"))
    printed = manage("doctor", DB_USER=ROLE).out
    assert "view_missing (9 times) in default: A view does not exist yet." in printed
    assert "reporting.new_4 and 4 more (--all or --json has them)\n" in printed
    assert printed.count("does not exist yet") == 1
    assert "reporting.new_8" in manage("doctor", "--all", DB_USER=ROLE).out


def test_control_characters_are_not_printed_and_json_has_the_fix(manage: Manage, doctor: Doctor) -> None:
    execute_as_owner('CREATE SCHEMA "a\x1b[2Jb"; CREATE MATERIALIZED VIEW "a\x1b[2Jb".a AS SELECT 1 AS n;')
    execute_as_owner(manifest('"a\x1b[2Jb".a'))
    out = manage("doctor", DB_USER=ROLE).out
    assert "\x1b" not in out
    assert "\n-- It has control characters: --json has it.\n" in out
    execute_as_owner(only(doctor(), "schema_forbidden")["sql"])
    assert "schema_forbidden" not in names(doctor())


def test_terminal_has_colors_and_the_most_severe_problem_first() -> None:
    need_statements()  # otherwise there is one hint more
    execute_as_owner(
        manifest("a.b.c") + manifest("reporting.a") + "CREATE MATERIALIZED VIEW reporting.stray AS SELECT 1 AS n"
    )
    code, drawn = run_on_terminal("doctor")
    assert code == 1
    assert "\x1b[1;31m1 error, 1 warning, 2 hints" in drawn
    shown = plain_text(drawn)
    assert shown.index("bad_name") < shown.index("view_missing") < shown.index("view_without_manifest")
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", run_on_terminal("doctor", "--no-color")[1])
