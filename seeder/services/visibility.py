"""Which agencies somebody may see, and what they are called."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.apps import apps
from django.utils.module_loading import import_string

from seeder import conf
from seeder.errors import ConfigurationError


def agencies_of(user: Any) -> list[str] | None:
    """The slugs that SEEDER['AGENCY_SCOPE'] gives a user; None for all there are.

    Raises `ConfigurationError` where that is no callable, or returns something else: nobody then sees anything.
    """
    path = conf.load().agency_scope
    if not path:
        return None
    wanted = "the dotted path of a callable that takes a user and returns slugs, or None"
    try:
        slugs = import_string(path)(user)
    except ImportError as error:
        raise ConfigurationError(setting="SEEDER['AGENCY_SCOPE']", value=path, wanted=wanted) from error
    if slugs is None:
        return None
    if isinstance(slugs, str) or not isinstance(slugs, Iterable):
        raise ConfigurationError(setting="SEEDER['AGENCY_SCOPE']", value=path, wanted=wanted)
    return [str(slug) for slug in slugs]


def names_of(agencies: Iterable[tuple[int, str]]) -> Mapping[int, str]:
    """What the agencies with these ids and slugs are called: as SEEDER['AGENCY_MODEL'] says, else as their slugs.

    Raises `ConfigurationError` where there is no such model.
    """
    slugs = dict(agencies)
    name = conf.load().agency_model
    if not name:
        return slugs
    try:
        model = apps.get_model(name)
    except (LookupError, ValueError) as error:
        wanted = "a model as app_label.Model"
        raise ConfigurationError(setting="SEEDER['AGENCY_MODEL']", value=name, wanted=wanted) from error
    return slugs | {pk: str(agency) for pk, agency in model._base_manager.in_bulk(list(slugs)).items()}
