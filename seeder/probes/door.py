"""What all addresses for programs have in common."""

from collections.abc import Callable

from django.db import connections, transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

View = Callable[[HttpRequest], HttpResponse]


def probe(view: View) -> View:
    """GET and HEAD, kept by nobody; and without the transactions around each request that a host may want, as those
    would wait for the very databases that are asked about."""
    answer = never_cache(require_safe(view))
    for alias in connections:
        answer = transaction.non_atomic_requests(using=alias)(answer)
    return answer
