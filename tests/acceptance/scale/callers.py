"""Users of all, one and many agencies."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth.models import Permission, User
from rest_framework.test import APIClient

from tests.acceptance import api_clients

AGENCIES: Mapping[str, list[str] | None] = {
    "all agencies": None,
    "one small agency": ["agency-2"],
    "the largest agency": ["agency-1"],
    "50 agencies": [f"agency-{number}" for number in range(2, 52)],
}


def scope(user: Any) -> list[str] | None:
    """Return the agencies of one of these users. SEEDER['AGENCY_SCOPE'] names this function."""
    return AGENCIES[user.username]


def create_callers(names: Iterable[str]) -> Mapping[str, APIClient]:
    """Create these users with every permission."""
    clients = {}
    for name in names:
        user = User.objects.create_user(name, is_staff=True, is_superuser=AGENCIES[name] is None)
        user.user_permissions.set(Permission.objects.all())
        clients[name] = api_clients.api_client(user)
    return clients
