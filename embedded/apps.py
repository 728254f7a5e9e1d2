"""The Django app with the `embedded_db` command."""

from django.apps import AppConfig


class EmbeddedConfig(AppConfig):
    name = "embedded"
    verbose_name = "embedded PostgreSQL"
