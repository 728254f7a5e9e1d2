"""Who somebody is, what they may do, and how often."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.apps import apps
from rest_framework.authentication import BaseAuthentication, SessionAuthentication, TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import UserRateThrottle

from seeder import conf
from seeder.domain.view_names import is_storable_text

if TYPE_CHECKING:
    from rest_framework.views import APIView

READ, WRITE = "GET", "POST"


class SeederTokenAuthentication(TokenAuthentication):
    """`Authorization: Token …`."""

    def authenticate_credentials(self, key: str) -> tuple[Any, Any]:
        if not is_storable_text(key):
            raise AuthenticationFailed
        return super().authenticate_credentials(key)


class SeederSessionAuthentication(SessionAuthentication):
    """The cookie of the host's login, with Django's CSRF check for whatever starts something."""

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002  # the name is a promise of the framework
        """Without one, who is nobody would be told 403 rather than 401."""
        return "Session"


def authenticators() -> Sequence[BaseAuthentication]:
    """A token where the host has tokens, else the session."""
    token_authenticators = [SeederTokenAuthentication()] if apps.is_installed("rest_framework.authtoken") else []
    return [*token_authenticators, SeederSessionAuthentication()]


class HasRequiredPermission(BasePermission):
    """Somebody who has logged in, with the permission that the view's `needs` names for the method, if it names one."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if not getattr(request.user, "is_authenticated", False):  # the host may have nobody be None
            return False
        required_permissions: Mapping[str, str] = getattr(view, "required_permissions", {})
        permission = required_permissions.get(READ if request.method == "HEAD" else str(request.method))
        return permission is None or request.user.has_perm(permission)


class WriteThrottle(UserRateThrottle):
    """How many calls that start something one user may make."""

    scope = "seeder_write"

    def get_rate(self) -> str:
        return conf.load().api_write_rate

    def allow_request(self, request: Request, view: "APIView") -> bool:
        return request.method != WRITE or super().allow_request(request, view)
