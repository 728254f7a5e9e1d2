"""The Django app of the demo, with the commands and without models."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "demo"
    label = "demo"
    verbose_name = "Demo records and reports"
