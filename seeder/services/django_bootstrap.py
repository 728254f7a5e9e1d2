"""Starts Django in a script, a notebook or the console script. Importing this module imports no Django."""

import os
import sys
from importlib import import_module
from threading import RLock

from seeder.errors import ExtraMissing, SettingsUnusable, StartError
from seeder.services import extras

_lock = RLock()  # other threads wait until Django is started; an app that is being loaded may call again
_failure: StartError | None = None  # Django cannot load its apps a second time


def bootstrap_django(settings_module: str) -> None:
    """Start Django with these settings, unless it is already started.

    Raises `SettingsUnusable`, or `ExtraMissing` if a package of an extra is not installed.
    """
    global _failure  # noqa: PLW0603  # there is one Django per process
    import django
    from django.apps import apps
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured

    with _lock:
        if _failure is not None:
            raise _failure
        try:
            if not settings.configured:
                import_module(settings_module)  # before the environment names it, so that another call can succeed
                os.environ["DJANGO_SETTINGS_MODULE"] = settings_module
            if not apps.loading:
                if "ipykernel" in sys.modules:  # Django refuses statements in an event loop, such as that of a notebook
                    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
                django.setup()
        except (ImportError, ImproperlyConfigured) as error:
            start_error = _start_error(settings_module, error)
            if apps.loading:
                _failure = start_error
            raise start_error from error


def _start_error(settings_module: str, error: Exception) -> StartError:
    """Return the error to raise: `ExtraMissing` if a module of an extra is not installed."""
    if isinstance(error, ExtraMissing):
        return ExtraMissing(**error.facts)
    missing = extras.import_problem(error.name) if isinstance(error, ImportError) else None
    return missing or SettingsUnusable(module=settings_module, cause=str(error).rstrip("."))
