"""Advisory locks: what runs of this app keep one another from doing at the same time. They end with the transaction,
or with the backend that holds them, whichever is first."""

from seeder.domain.names import ViewName
from seeder.postgres import sessions


def have_to_myself(database: str, view: ViewName) -> None:
    """Wait until no other run creates or refreshes the view. A view that is missing has no relation to lock yet, and
    of two that create it at once one would fail."""
    sessions.query(database, "have_to_myself", {"schema": view.schema, "name": view.name})


def install_alone(database: str) -> None:
    """Wait until nobody else creates the contract's tables: IF NOT EXISTS alone loses the race (23505)."""
    sessions.query(database, "install_alone")
