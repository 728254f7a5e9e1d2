"""Sends Django signals, whose receivers cannot fail their sender. Public: other apps may use it."""

from typing import Any

from seeder import signals
from seeder.services.structured_log import ERROR, log_event


def send(name: str, **arguments: Any) -> None:
    """Send a signal of `seeder.signals` after the commit. Logs the errors of receivers."""
    for receiver, error in getattr(signals, name).send_robust(sender=None, **arguments):
        if isinstance(error, Exception):
            name_of_receiver = getattr(receiver, "__qualname__", type(receiver).__qualname__)
            path = f"{receiver.__module__}.{name_of_receiver}"
            log_event(ERROR, "receiver_failed", signal=name, receiver=path, reason=type(error).__name__)
