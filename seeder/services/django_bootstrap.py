"""Starts Django where nobody else has: in a script or a notebook, and for the console script. Until then it loads
nothing of it."""

import os
import sys
from threading import RLock

from seeder.errors import ExtraMissing, SettingsConflict, SettingsUnusable, StartError
from seeder.services import extras

_VARIABLE = "DJANGO_SETTINGS_MODULE"
_started_with: str | None = None
_is_starting = False
_lock = RLock()  # other threads wait until it is started; an app that is being loaded may ask as well


def bootstrap_django(settings_module: str) -> None:
    """Configure Django with these settings, once: in a Django that somebody else has configured it does nothing, but to
    load the apps where nobody has begun to.

    Raises `SettingsUnusable`, `ExtraMissing` if a package of an extra is not installed, or `SettingsConflict` if
    it has configured Django with another module before.
    """
    with _lock:
        _bootstrap(settings_module)


def _bootstrap(settings_module: str) -> None:
    global _started_with  # noqa: PLW0603  # Django's settings are one for the process, too
    from django.apps import apps
    from django.conf import settings

    if settings.configured:
        if _started_with is None:
            if not apps.loading:
                _set_up(settings_module)
            return
        if _started_with != settings_module:
            raise SettingsConflict(requested=settings_module, first=_started_with)
        if not apps.ready and not _is_starting:
            raise SettingsUnusable(module=settings_module, cause="some of its apps could not be loaded, start anew")
        return
    _load(settings_module)
    _started_with = settings_module
    _set_up(settings_module)
    if "ipykernel" in sys.modules:  # cells run inside an event loop, in which Django would refuse every statement
        os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


def _load(settings_module: str) -> None:
    """Where it cannot be loaded, everything is as before and another attempt may do better."""
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured

    if not settings_module:
        raise SettingsUnusable(module=settings_module, cause="that is no module's name")
    before = os.environ.get(_VARIABLE)
    os.environ[_VARIABLE] = settings_module
    try:
        _ = settings.INSTALLED_APPS  # whatever is asked for loads them
    except Exception as error:  # whatever somebody else's settings raise
        if before is None:
            del os.environ[_VARIABLE]
        else:
            os.environ[_VARIABLE] = before
        if isinstance(error, ImportError | ImproperlyConfigured):
            raise _start_error(settings_module, error) from error
        raise


def _set_up(settings_module: str) -> None:
    global _is_starting  # noqa: PLW0603
    import django
    from django.core.exceptions import ImproperlyConfigured

    _is_starting = True
    try:
        django.setup()
    except (ImportError, ImproperlyConfigured) as error:
        raise _start_error(settings_module, error) from error
    finally:
        _is_starting = False


def _start_error(settings_module: str, error: Exception) -> StartError:
    """Return the error to raise: `ExtraMissing` if a module of an extra is not installed."""
    if isinstance(error, ExtraMissing):
        return ExtraMissing(**error.facts)
    missing = extras.import_problem(error.name) if isinstance(error, ImportError) else None
    return missing or SettingsUnusable(module=settings_module, cause=str(error).rstrip("."))
