"""After any process was killed, the next user has a server."""

import os
import signal
import subprocess
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from embedded.server_folder import resolve_server_folder
from tests.embedded.server_processes import IS_ROOT, EmbeddedServer, is_gone, kill, wait_until

pytestmark = pytest.mark.slow


def test_killed_user_does_not_affect_others(embedded_server: EmbeddedServer) -> None:
    (victim := embedded_server.start_user()).server()
    _, pid = embedded_server.start_user().server()

    victim.kill()

    assert embedded_server.start_user().server()[1] == pid


def test_killed_postmaster_is_replaced_for_the_next_user(embedded_server: EmbeddedServer) -> None:
    _, pid = embedded_server.start_user().server()
    with closing(embedded_server.connect()) as connection:
        busy_pid = connection.info.backend_pid
        # The loop never notices by itself that the connection is lost.
        connection.pgconn.send_query(b"DO $$ BEGIN LOOP END LOOP; END $$")
        wait_until(lambda: psutil.Process(busy_pid).cpu_times().user > 0.05)

        kill(pid)

        assert embedded_server.start_user().server()[1] != pid
        assert is_gone(busy_pid)


def test_killed_watcher_is_replaced_by_the_next_user(embedded_server: EmbeddedServer) -> None:
    embedded_server.start_user().server()
    wait_until(embedded_server.watcher)
    first = embedded_server.watcher()
    assert first

    kill(first.pid)
    embedded_server.start_user().server()

    wait_until(embedded_server.watcher)
    second = embedded_server.watcher()
    assert second
    assert second.pid != first.pid


def test_stale_pid_file_with_a_reused_pid_is_ignored(embedded_server: EmbeddedServer) -> None:
    socket_folder, pid = embedded_server.start_user().server()
    kill(pid)
    unrelated_process = subprocess.Popen(
        ["sleep", "600"], user=resolve_server_folder(embedded_server.folder).account.uid if IS_ROOT else None
    )
    try:
        for file in (embedded_server.folder / "data" / "postmaster.pid", socket_folder / ".s.PGSQL.5432.lock"):
            _, *rest = file.read_text().splitlines()
            file.write_text("\n".join([str(unrelated_process.pid), *rest, ""]))

        assert embedded_server.start_user().server()[1] not in (pid, unrelated_process.pid)
        assert unrelated_process.poll() is None
    finally:
        unrelated_process.kill()
        unrelated_process.wait()


def test_interrupted_initdb_leaves_no_partial_database(fresh_server: EmbeddedServer) -> None:
    first = fresh_server.start_user()
    wait_until((fresh_server.folder / "data.making" / "base").exists)
    first.kill()
    assert not (fresh_server.folder / "data").exists()

    fresh_server.start_user().server()

    assert (fresh_server.folder / "data" / "PG_VERSION").exists()
    assert not (fresh_server.folder / "data.making").exists()


def test_moved_folder_is_created_again_for_its_users(embedded_server: EmbeddedServer, tmp_path: Path) -> None:
    _, pid = (user := embedded_server.start_user()).server()
    embedded_server.folder.rename(tmp_path / "moved")
    try:
        assert user.server_again()[1] != pid
    finally:
        kill(pid)


def test_server_with_a_deleted_socket_is_replaced(embedded_server: EmbeddedServer) -> None:
    socket_folder, pid = (user := embedded_server.start_user()).server()
    (socket_folder / ".s.PGSQL.5432").unlink()

    assert user.server_again()[1] != pid
    assert is_gone(pid)


def test_server_stopped_manually_starts_again(embedded_server: EmbeddedServer) -> None:
    _, pid = (user := embedded_server.start_user()).server()
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: is_gone(pid))

    assert user.server_again()[1] != pid
