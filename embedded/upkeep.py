"""Brings the server up and down, one process at a time (start.lock).

Whoever comes in looks again, since somebody may have been faster. Then either the server answers after all; or its own
lock is free, which proves that nothing of the old cluster is alive, and it can be started; or something is still
starting, stopping or dying, and one of both will come true.
"""

import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from embedded import bootstrap, cluster
from embedded.errors import Locked, NotAnswering, NotStopped, Vanished
from embedded.locks import EXCLUSIVE, PATIENCE, is_taken, released, try_lock, wait_for
from embedded.place import Place, clear_socket_folder
from embedded.say import say
from embedded.signals import Postmaster, answering, ask_to_stop, end_orphans, listening

_GRACE = 3.0  # seconds in which the processes of a killed server end by themselves, unless they are busy
_ATTEMPTS = 5  # a server may be stopped or killed as soon as it is up, but hardly ever again and again


def bring_up(place: Place, files: Sequence[Path], settings: Mapping[str, str]) -> tuple[Postmaster, bool]:
    """The running server, and whether it was us who started it."""
    started = False
    for _ in range(_ATTEMPTS):
        found = answering(place)
        if found and bootstrap.is_done(place, files):
            return found, started
        with _one_at_a_time(place):
            started = _start_unless_it_answers(place, settings) or started
            found = answering(place)
            if found and not bootstrap.is_done(place, files):
                bootstrap.run(place, found.socket_folder, files)
    raise Vanished(folder=place, log=place.log)


def bring_down(place: Place) -> None:
    """Stops the server and waits until its last process has gone."""
    with _one_at_a_time(place):
        if wait_for(lambda: ask_to_stop(place) or not is_taken(place.server_lock) or None, _GRACE) is None:
            end_orphans(place)
        lock = wait_for(lambda: _server_lock(place), PATIENCE)
        if lock is None:
            raise NotStopped(folder=place, seconds=PATIENCE, log=place.log)
        clear_socket_folder(place)
        os.close(lock)


def _start_unless_it_answers(place: Place, settings: Mapping[str, str]) -> bool:
    lock = _lock_unless_it_answers(place)
    if lock is None:
        return False
    try:
        if not place.data.exists():
            say(f"creating an embedded PostgreSQL in {place} …")
            cluster.create(place, lock)
        log_begins = cluster.start(place, lock, settings)
    finally:
        os.close(lock)  # from here on the server alone holds it
    cluster.wait_until_it_answers(place, log_begins)
    return True


def _lock_unless_it_answers(place: Place) -> int | None:
    locks: list[int] = []

    def settled() -> bool | None:
        if answering(place):
            return True
        if (lock := _server_lock(place)) is not None:
            locks.append(lock)
        return bool(locks) or None

    if not wait_for(settled, _GRACE):
        if listening(place) is None:
            end_orphans(place)
        if not wait_for(settled, PATIENCE):
            raise NotAnswering(folder=place, seconds=PATIENCE, log=place.log)
    return locks[0] if locks else None


def _one_at_a_time(place: Place) -> AbstractContextManager[None]:
    lock = wait_for(lambda: try_lock(place.start_lock, EXCLUSIVE, uid=place.account.uid), PATIENCE)
    if lock is None:
        raise Locked(folder=place, seconds=PATIENCE, lock=place.start_lock)
    return released(lock)


def _server_lock(place: Place) -> int | None:
    return try_lock(place.server_lock, EXCLUSIVE, uid=place.account.uid)
