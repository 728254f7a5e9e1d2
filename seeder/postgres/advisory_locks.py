"""Advisory locks on text keys: mutual exclusion, and proof that a process is alive.

A held lock proves that its backend is alive, because the server releases it when the backend ends for any reason.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import cast

from seeder.postgres import sessions
from seeder.postgres.named_statements import STATEMENTS

UNLOCK = STATEMENTS["unlock"]  # to be sent together with other statements; its parameter is `key`


def lock(database: str, key: str) -> None:
    """Lock a key until the end of the transaction."""
    sessions.query(database, STATEMENTS["lock"], {"key": key})


def try_lock(database: str, key: str) -> bool:
    """Lock a key until the end of the transaction, unless another session holds it."""
    [(acquired,)] = sessions.query(database, STATEMENTS["try_lock"], {"key": key})
    return bool(acquired)


def lock_for_session(database: str, key: str) -> datetime:
    """Lock a key until the end of this thread's session, unless it holds the lock. Return the server's time.

    The session is a run's from then on, so the settings of its transactions are pinned.
    """
    statements = STATEMENTS["pin_transactions"], STATEMENTS["lock_for_session"]
    _, [(_, now)] = sessions.query_batch(database, statements, {"key": key})
    return cast("datetime", now)


def try_lock_for_session(database: str, key: str) -> bool:
    """Lock a key until `unlock` or the end of this thread's session, unless another session holds it."""
    [(acquired,)] = sessions.query(database, STATEMENTS["try_lock_for_session"], {"key": key})
    return bool(acquired)


def unlock(database: str, key: str) -> None:
    """Release the lock of this thread's session, if it holds the lock."""
    sessions.query(database, UNLOCK, {"key": key})


def held_keys(database: str, keys: Iterable[str]) -> frozenset[str]:
    """Return the keys that any session holds, without locking one."""
    rows = sessions.query(database, STATEMENTS["held_keys"], {"keys": list(keys)})
    return frozenset(key for (key,) in rows)
