"""What all addresses for programs have in common."""

from collections.abc import Callable

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

View = Callable[[HttpRequest], HttpResponse]


def probe(view: View) -> View:
    """GET and HEAD, kept by nobody; and without the transaction around each request that a host may want, as that
    would wait for the very database that is asked about."""
    return never_cache(transaction.non_atomic_requests(require_safe(view)))
