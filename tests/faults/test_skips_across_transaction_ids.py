"""Skips while transaction ids begin again at zero, after four billion of them."""

import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import connections
from pytest_django import DjangoDbBlocker

from embedded import binaries
from embedded.account_programs import run_program
from seeder.domain.view_names import ViewName
from seeder.postgres import sessions, skip_proofs, view_statements
from seeder.services.run import skip_proving
from seeder.services.run.skip_proving import ProvedView, RunRowVersions
from tests.conftest import another_session, sql
from tests.faults.conftest import DATABASE, removed_at_the_end, with_new_database
from tests.faults.private_server import PrivateServer

VIEW = ViewName(schema="public", name="rows")
QUERY = "SELECT i FROM public.t UNION ALL SELECT i FROM public.old"
STEPS, MAX_XID = 120, 2**32


@pytest.fixture
def server(tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[PrivateServer]:
    """A server of its own, because its transaction ids are changed."""
    with removed_at_the_end(PrivateServer(tmp_path / "pg")) as private, django_db_blocker.unblock():
        yield from with_new_database(private)


def jump_to(server: PrivateServer, next_xid: int) -> None:
    """Let the next transaction have this id."""
    server.stop()
    connections.close_all()
    folder, account = server.server_folder, server.server_folder.account
    program = [str(binaries.folder() / "pg_resetwal"), "-f", "-x", str(next_xid), "-u", str(next_xid - 7200)]
    with Path(os.devnull).open("w", encoding="utf-8") as unused_lock:
        assert run_program(folder, [*program, str(folder.data)], unused_lock.fileno()) == 0, server.log
    statuses = folder.data / "pg_xact" / "0FFF"  # its page does not exist yet
    statuses.write_bytes(bytes(2**18))
    statuses.chmod(0o600)
    os.chown(statuses, account.uid, account.gid)
    server.start()


def refresh() -> ProvedView:
    reads = skip_proofs.find_read_relations("default", [VIEW])[VIEW]
    with skip_proofs.locked_snapshot("default", reads.tables):
        before = skip_proving.before_refresh("default", VIEW, reads)
        assert before is not None
        sessions.query("default", view_statements.refresh_materialized_view(VIEW))
        proof = skip_proving.after_refresh("default", VIEW, before)
    assert proof is not None
    return ProvedView("default", reads, proof)


@pytest.mark.slow
@pytest.mark.usefixtures("bare_database")
def test_skip_is_right_while_transaction_ids_begin_again(server: PrivateServer) -> None:
    sql("CREATE TABLE old AS SELECT i FROM generate_series(1, 5) AS i")
    sql("CREATE TABLE t (i int)")
    sql(f"CREATE MATERIALIZED VIEW rows AS {QUERY}")
    for database in (DATABASE, "postgres", "template1"):
        with server.session(database) as session:
            session.execute("VACUUM FREEZE")
    jump_to(server, MAX_XID - 96)
    chosen = random.Random(1)  # noqa: S311  # a fixed sequence, not used for security
    proved, skips, skips_after, wrong = refresh(), 0, 0, []
    with another_session() as slow:
        slow.execute("BEGIN; INSERT INTO t VALUES (-1)")
        for step in range(STEPS):
            if chosen.random() < 0.6:
                sql(f"INSERT INTO t VALUES ({step})")
            elif chosen.random() < 0.3:
                sql("DELETE FROM t WHERE i = (SELECT min(i) FROM t)")
            if step % 40 == 30:
                slow.execute(f"COMMIT; BEGIN; INSERT INTO t VALUES ({-step})".encode())
            known = RunRowVersions.of([("default", proved.proof)])
            with skip_proving.verified(proved, known, now=datetime.now(UTC)) as verdict:
                differs = sql(f"(TABLE rows EXCEPT ALL ({QUERY})) UNION ALL (({QUERY}) EXCEPT ALL TABLE rows)")
            if verdict.change is None:
                skips += 1
                skips_after += proved.proof.xmin > MAX_XID
                wrong += [(step, differs)] if differs else []
            else:
                proved = refresh()
    assert wrong == []
    assert skips > skips_after > 0
