"""One server is shared by all its users."""

import os
from pathlib import Path

import psycopg
import pytest

from embedded.errors import BootstrapFailed, FolderOfOtherAccount, WrongVersion
from embedded.server import status, stop
from embedded.server_folder import resolve_server_folder
from tests.embedded.server_processes import EmbeddedServer

pytestmark = pytest.mark.slow


def test_eight_concurrent_first_users_share_one_server(fresh_server: EmbeddedServer) -> None:
    users = [fresh_server.start_user() for _ in range(8)]

    assert len({user.server() for user in users}) == 1

    output = "".join(user.finish().err for user in users)
    assert output.count("creating") == 1
    assert output.count("started in") == 1
    assert len(output.splitlines()) == 2


def test_server_when_started_is_announced_once(embedded_server: EmbeddedServer) -> None:
    (first := embedded_server.start_user()).server()
    _, pid = (second := embedded_server.start_user()).server()
    server = embedded_server.server()

    assert first.finish().err == (
        f"embedded PostgreSQL {server.version} started in {embedded_server.folder} "
        f"(psql -h {server.socket_folder} -U postgres postgres)\n"
    )
    assert second.finish().err == ""
    assert server.pid == pid


def test_statements_are_counted_from_the_start(embedded_server: EmbeddedServer) -> None:
    embedded_server.start_user().server()

    with embedded_server.connect() as connection:
        assert connection.execute("SELECT count(*) > 0 FROM pg_stat_statements").fetchone() == (True,)


def test_changed_settings_apply_at_the_next_start(embedded_server: EmbeddedServer) -> None:
    embedded_server.start_user(settings={"application_name": "it's \\ quoted"}).server()

    with embedded_server.connect() as connection:
        assert connection.execute("SELECT reset_val FROM pg_settings WHERE name = 'application_name'").fetchone() == (
            "it's \\ quoted",
        )


def test_refused_setting_shows_the_message_of_postgresql(embedded_server: EmbeddedServer) -> None:
    result = embedded_server.start_user(settings={"max_connections": "many"}).finish()

    assert result.exit_code == 1
    assert 'invalid value for parameter "max_connections": "many"' in result.err.splitlines()[-1]


def test_bootstrap_file_runs_once_and_after_each_change(embedded_server: EmbeddedServer, tmp_path: Path) -> None:
    file = tmp_path / "bootstrap.sql"
    file.write_text("CREATE TABLE IF NOT EXISTS runs (at text); INSERT INTO runs VALUES ('100 %');")
    for _ in range(2):
        embedded_server.start_user(bootstrap=[file]).server()
    with embedded_server.connect() as connection:
        assert connection.execute("SELECT at FROM runs").fetchall() == [("100 %",)]

    file.write_text(file.read_text() + "-- changed")
    embedded_server.start_user(bootstrap=[file]).server()

    with embedded_server.connect() as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (2,)


def test_failing_bootstrap_file_is_named_and_runs_again(embedded_server: EmbeddedServer, tmp_path: Path) -> None:
    file = tmp_path / "bootstrap.sql"
    file.write_text("CREATE TABLE half (); SELECT 1 / 0;")
    result = embedded_server.start_user(bootstrap=[file]).finish()
    assert BootstrapFailed.__name__ in result.err
    assert f"{file} failed" in result.err
    assert "division by zero" in result.err

    file.write_text("CREATE TABLE half ();")
    embedded_server.start_user(bootstrap=[file]).server()


def test_stop_ends_a_server_in_use_and_its_watcher(embedded_server: EmbeddedServer) -> None:
    embedded_server.start_user().server()

    assert stop(embedded_server.folder)

    assert status(embedded_server.folder).server is None
    assert not stop(embedded_server.folder)


def test_status_and_stop_of_a_missing_folder_create_nothing(fresh_server: EmbeddedServer) -> None:
    assert status(fresh_server.folder).server is None
    assert not stop(fresh_server.folder)
    assert not fresh_server.folder.parent.exists()


def test_data_of_another_major_version_is_refused(embedded_server: EmbeddedServer) -> None:
    (embedded_server.folder / "data" / "PG_VERSION").write_text("17\n")

    result = embedded_server.start_user().finish()

    assert f"{WrongVersion.__name__}: {embedded_server.folder / 'data'} was created by PostgreSQL 17" in result.err
    assert "move or delete" in result.err


def test_folder_of_another_account_is_refused(embedded_server: EmbeddedServer) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "geteuid", lambda: 4242)

        with pytest.raises(FolderOfOtherAccount, match="belongs to the account"):
            resolve_server_folder(embedded_server.folder)


def test_copy_of_a_running_folder_gets_its_own_server(embedded_server: EmbeddedServer, tmp_path: Path) -> None:
    _, original = embedded_server.start_user().server()

    with EmbeddedServer(tmp_path / "copy").copied_from(embedded_server.folder) as copy:
        _, pid = copy.start_user().server()

        assert pid != original
        with copy.connect() as connection:
            data_directory = connection.execute("SHOW data_directory").fetchone()
            assert data_directory == (str(copy.folder / "data"),)


def test_minimal_environment_is_sufficient(fresh_server: EmbeddedServer) -> None:
    interpreter_variables = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}

    fresh_server.start_user(environment={"PATH": os.defpath, **interpreter_variables}).server()


def test_socket_is_accessible_only_to_the_account_and_root(embedded_server: EmbeddedServer) -> None:
    embedded_server.start_user().server()

    assert embedded_server.folder.stat().st_mode & 0o077 == 0
    with embedded_server.connect() as connection:
        connection.execute("CREATE ROLE reader LOGIN")
    server = embedded_server.server()
    with psycopg.connect(host=str(server.socket_folder), port=server.port, user="reader", dbname="postgres") as reader:
        assert reader.execute("SELECT current_user").fetchone() == ("reader",)
