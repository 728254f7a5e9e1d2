"""What all addresses for programs have in common."""

from collections.abc import Callable

from django.db import connections, transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

ProbeView = Callable[[HttpRequest], HttpResponse]


def probe(view: ProbeView) -> ProbeView:
    """GET and HEAD, kept by nobody; and without the transactions around each request that a host may want, as those
    would wait for the very databases that are asked about."""
    wrapped = never_cache(require_safe(view))
    for alias in connections:
        wrapped = transaction.non_atomic_requests(using=alias)(wrapped)
    return wrapped
