"""A server that is alive stays untouched, even if it or its folder was changed manually."""

import os
import shutil
import signal
from pathlib import Path

import pytest

from embedded.file_locks import is_locked_exclusively
from embedded.server import status, stop
from embedded.server_folder import resolve_server_folder
from tests.embedded.server_processes import EmbeddedServer, is_gone, kill, wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def restarted(embedded_server: EmbeddedServer) -> EmbeddedServer:
    """A server after `pg_ctl restart`. It does not hold the lock."""
    embedded_server.start_user().server()
    embedded_server.pg_ctl("restart", "--mode=fast")
    return embedded_server


def test_manually_restarted_server_is_used_and_watched(restarted: EmbeddedServer) -> None:
    pid = restarted.postmaster_pid()

    assert restarted.users[0].server_again()[1] == pid
    assert restarted.start_user().server()[1] == pid
    assert restarted.watcher()


def test_manually_restarted_server_is_stopped(restarted: EmbeddedServer) -> None:
    pid = restarted.postmaster_pid()

    assert stop(restarted.folder)

    assert is_gone(pid)
    assert not stop(restarted.folder)


def test_server_whose_lock_file_was_deleted_is_stopped(embedded_server: EmbeddedServer) -> None:
    _, pid = embedded_server.start_user().server()
    resolve_server_folder(embedded_server.folder).server_lock.unlink()

    assert stop(embedded_server.folder)

    assert is_gone(pid)


def test_manually_started_server_is_not_replaced_before_it_is_ready(restarted: EmbeddedServer) -> None:
    pid, file = restarted.postmaster_pid(), restarted.folder / "data" / "postmaster.pid"
    lines = file.read_text()
    file.write_text(lines.replace("ready   ", "starting"))
    assert status(restarted.folder).is_busy

    user = restarted.start_user()
    wait_until(lambda: is_locked_exclusively(resolve_server_folder(restarted.folder).start_lock))
    file.write_text(lines)

    assert user.server()[1] == restarted.postmaster_pid() == pid
    assert not is_gone(pid)


def test_server_started_with_another_socket_is_named_and_stopped(
    embedded_server: EmbeddedServer, tmp_path: Path
) -> None:
    embedded_server.start_user().server()
    stop(embedded_server.folder)
    sockets = tmp_path / "sockets"
    sockets.mkdir(mode=0o777)
    sockets.chmod(0o777)
    embedded_server.pg_ctl("start", f"--options=-k {sockets} -h ''")
    pid = embedded_server.postmaster_pid()

    result = embedded_server.start_user().finish()

    assert f"was started manually (process {pid}) and listens in {sockets}" in result.err
    assert embedded_server.postmaster_pid() == pid
    assert status(embedded_server.folder).is_busy
    assert stop(embedded_server.folder)
    assert is_gone(pid)


def _start_watched(embedded_server: EmbeddedServer) -> int:
    """Start the server, and wait until its watcher has opened its files. Return the process id."""
    _, pid = embedded_server.start_user().server()
    lock = str(embedded_server.folder / "server.lock")
    wait_until(lambda: (watcher := embedded_server.watcher()) and lock in {file.path for file in watcher.open_files()})
    return pid


def test_server_of_a_deleted_folder_keeps_the_socket_of_its_successor(
    embedded_server: EmbeddedServer, template: Path
) -> None:
    old = _start_watched(embedded_server)
    deleted = embedded_server.folder.rename(embedded_server.folder.with_name("deleted"))
    shutil.rmtree(deleted, ignore_errors=True)  # it is in use
    _, pid = embedded_server.copied_from(template).start_user().server()

    os.kill(old, signal.SIGQUIT)  # within a minute the server notices the loss of its folder, and does the same
    wait_until(lambda: is_gone(old))

    assert embedded_server.server().pid == pid
    embedded_server.connect().close()


def test_server_of_a_moved_folder_keeps_the_socket_of_its_successor(
    embedded_server: EmbeddedServer, template: Path, tmp_path: Path
) -> None:
    old = _start_watched(embedded_server)
    embedded_server.folder.rename(tmp_path / "moved")
    _, pid = embedded_server.copied_from(template).start_user().server()

    with EmbeddedServer(tmp_path / "moved") as moved:
        assert moved.start_user().server()[1] == old
        assert stop(moved.folder)

    assert is_gone(old)
    assert embedded_server.server().pid == pid
    embedded_server.connect().close()


def test_killed_server_after_a_manual_restart_is_replaced(restarted: EmbeddedServer) -> None:
    pid = restarted.postmaster_pid()
    kill(pid)

    assert restarted.users[0].server_again()[1] != pid
