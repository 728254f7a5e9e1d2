"""Authentication, permissions and throttling of the API."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rest_framework.authentication import SessionAuthentication, TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.throttling import UserRateThrottle

from seeder import conf
from seeder.services.storable_text import is_storable

if TYPE_CHECKING:
    from rest_framework.views import APIView

READ, WRITE = "GET", "POST"


class SeederTokenAuthentication(TokenAuthentication):
    """`Authorization: Token …`."""

    def authenticate_credentials(self, key: str) -> tuple[Any, Any]:
        if not is_storable(key):
            raise AuthenticationFailed
        return super().authenticate_credentials(key)


class SeederSessionAuthentication(SessionAuthentication):
    """The host's session cookie, with Django's CSRF check for unsafe methods."""

    def authenticate_header(self, request: Request) -> str:
        """Return a scheme, because DRF answers 403 instead of 401 without one."""
        return "Session"


class HasRequiredPermission(BasePermission):
    """Require a login and the method's permission in the view's `required_permissions`."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if not getattr(request.user, "is_authenticated", False):  # UNAUTHENTICATED_USER may be None
            return False
        required_permissions: Mapping[str, str] = getattr(view, "required_permissions", {})
        permission = required_permissions.get(READ if request.method == "HEAD" else str(request.method))
        return permission is None or request.user.has_perm(permission)


class WriteThrottle(UserRateThrottle):
    """Limit requests that change something, per user, to `SEEDER_API_WRITE_RATE`."""

    scope = "writes"

    def get_rate(self) -> str:
        return conf.load().api_write_rate

    def allow_request(self, request: Request, view: "APIView") -> bool:
        is_write = request.method not in SAFE_METHODS and hasattr(view, str(request.method).lower())
        return not is_write or super().allow_request(request, view)
