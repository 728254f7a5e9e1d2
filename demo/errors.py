"""Errors of the demo."""


class DemoError(Exception):
    """The demo cannot be loaded into this database. The message says what to do."""
