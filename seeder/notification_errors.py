"""Expected errors of notifications."""

from seeder.errors import RequestError, SeederError


class NotificationsUnusable(SeederError):
    """{reason}. {lost_feature} `manage.py install_schema` creates it."""


class UnknownChannel(RequestError):
    """SEEDER['NOTIFICATIONS'] has no channel {channel!r}. It has: {known}."""


class BadMute(RequestError):
    """The notifications of {subject} cannot be muted: {problem}."""
