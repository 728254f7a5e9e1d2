"""The Django app of the demo: it brings one command, `load_demo`, and no models of its own."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "demo"
    label = "demo"
    verbose_name = "Demo records and reports"
