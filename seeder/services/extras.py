"""The package's extras, and errors that name a missing one."""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import NamedTuple

from seeder.errors import ExtraMissing
from seeder.texts import Text


class Extra(NamedTuple):
    """An extra and its distributions, by the module that each provides."""

    name: str
    distributions: Mapping[str, str]
    optional: Mapping[str, str] = {}  # used if installed


QUEUE = Extra("queue", {"django_q": "django-q2", "croniter": "croniter"})
API = Extra(
    "api",
    {"rest_framework": "djangorestframework", "drf_spectacular": "drf-spectacular"},
    optional={"drf_spectacular_sidecar": "drf-spectacular[sidecar]"},
)
YAML = Extra("yaml", {"yaml": "pyyaml"})
COMPLETION = Extra("completion", {"argcomplete": "argcomplete"})
APPRISE = Extra("apprise", {"apprise": "apprise"})
METRICS = Extra("metrics", {"prometheus_client": "prometheus-client"})


def problem(extra: Extra, feature: str) -> ExtraMissing | None:
    """Return an error if a required distribution is not installed."""
    for module, distribution in extra.distributions.items():
        if find_spec(module) is None:
            return ExtraMissing(feature=feature, distribution=distribution, extra=extra.name)
    return None


def require(extra: Extra, feature: str) -> None:
    """Raise `ExtraMissing` if a required distribution is not installed."""
    if (error := problem(extra, feature)) is not None:
        raise error


def import_problem(name: str | None) -> ExtraMissing | None:
    """Return an error if a missing module is in an extra."""
    module = (name or "").partition(".")[0]
    for extra in (QUEUE, API, METRICS, YAML):
        distribution = {**extra.distributions, **extra.optional}.get(module)
        if distribution and find_spec(module) is None:
            return ExtraMissing(
                feature=Text("The module {module}", module=module), distribution=distribution, extra=extra.name
            )
    return None
