"""Headers of responses: request ids, rate limits, and entity tags of whole documents."""

import re
from collections.abc import Iterable
from hashlib import blake2b
from typing import Any
from uuid import uuid4

from django.http import HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response, patch_cache_control, patch_vary_headers
from django.utils.http import quote_etag
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import SimpleRateThrottle

REQUEST_ID = "X-Request-ID"
DOCUMENT_LANGUAGE = "en"  # otherwise Django's middleware sets that of the request
_VALID_REQUEST_ID = re.compile(r"[!-~]{1,128}", re.ASCII)  # printable ASCII without blanks


def request_id_of(request: Request) -> str:
    """Return the caller's request id if it is valid, otherwise a new one."""
    given = request.headers.get(REQUEST_ID, "")
    return given if _VALID_REQUEST_ID.fullmatch(given) else uuid4().hex


def add_rate_limits(response: Response, throttles: Iterable[Any]) -> None:
    """Add how many calls are left in the window of each throttle that counted this request.

    The fields are those of draft-ietf-httpapi-ratelimit-headers: `q` calls in `w` seconds, `r` of them left, and the
    window is empty again after `t` seconds.
    """
    counted: list[Any] = [one for one in throttles if isinstance(one, SimpleRateThrottle) and hasattr(one, "history")]
    policies, limits = [], []
    for throttle in counted:
        quota, window = throttle.num_requests or 0, throttle.duration or 0
        left = max(0, quota - len(throttle.history))
        reset = round(throttle.history[-1] + window - throttle.now) if throttle.history else 0
        policies.append(f'"{throttle.scope}";q={quota};w={window}')
        limits.append(f'"{throttle.scope}";r={left};t={reset}')
    if counted:
        response["RateLimit-Policy"], response["RateLimit"] = ", ".join(policies), ", ".join(limits)


def answer_conditionally(request: Request, response: Response) -> None:
    """Tag a document with a hash of its content, and answer 304 if the caller has it already.

    The document depends on the user, so only the caller's own cache may keep it, and it must ask each time. It is the
    same for each language.
    """

    def compare(rendered: HttpResponse) -> HttpResponseBase | None:
        etag = quote_etag(blake2b(response.content, digest_size=16).hexdigest())
        rendered["ETag"] = etag
        compared = get_conditional_response(request._request, etag=etag, response=rendered)  # noqa: SLF001
        if compared is not rendered and compared is not None:
            compared[REQUEST_ID] = rendered[REQUEST_ID]
            compared["Content-Language"] = DOCUMENT_LANGUAGE
        return compared

    patch_cache_control(response, private=True, no_cache=True)
    patch_vary_headers(response, ["Authorization", "Cookie"])
    response["Content-Language"] = DOCUMENT_LANGUAGE
    response.add_post_render_callback(compare)
