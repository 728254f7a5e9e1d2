"""The rescuers of all installed apps run together."""

import sys

import pytest
from django.apps import apps

from seeder.services.queue.rescue import rescue_all

pytestmark = pytest.mark.usefixtures("empty_queue")


def test_rescuers_of_every_app_run_and_report(monkeypatch: pytest.MonkeyPatch) -> None:
    other = apps.get_app_config("auth")
    monkeypatch.setattr(other, "rescuers", ("another_app.rescue_loads", "another_app.rescue_nothing"), raising=False)
    monkeypatch.setitem(sys.modules, "another_app", _Rescuers)
    assert list(rescue_all()) == ["2 loads resumed"]


class _Rescuers:
    """The rescuers of another app."""

    @staticmethod
    def rescue_loads() -> str:
        return "2 loads resumed"

    @staticmethod
    def rescue_nothing() -> str:
        return ""
