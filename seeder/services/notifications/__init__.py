"""Notifies changes of states: writes the outbox, and sends it."""
