"""The header `Idempotency-Key` of requests that queue work."""

from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from seeder.services.translation import translated
from seeder.texts import Text

_MAX_KEY_LENGTH = 100  # characters
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": _MAX_KEY_LENGTH},
    OpenApiParameter.HEADER,
    description="a repeated call with the same key returns the same result and queues nothing",
)


def scoped_idempotency_key(request: Request) -> str | None:
    """Return the key with the user as prefix, because keys are per user. Raises `ValidationError`."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not (0 < len(key) <= _MAX_KEY_LENGTH and key.isprintable()):
        text = Text("Must be 1 to {max_length} printable characters.", max_length=_MAX_KEY_LENGTH)
        raise ValidationError({"Idempotency-Key": [translated(text)]})
    return f"api {request.user.pk} {key}"
