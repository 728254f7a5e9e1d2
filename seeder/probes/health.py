"""Liveness and readiness endpoints.

They are public, so they name only components and their status.
"""

from dataclasses import asdict

from django.http import HttpRequest, HttpResponse, JsonResponse

from seeder.domain.monitoring.health_status import Readiness
from seeder.services.read_models import health_check


def alive(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  # Django passes it
    """Answer 200 while the process runs. Does not use the database."""
    return JsonResponse({"status": "alive"})


def ready(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Answer 200, or 503 if no refresh can be run or queued."""
    report = health_check.check_health()
    body = {"status": report.readiness, "checks": asdict(report)}
    return JsonResponse(body, status=503 if report.readiness is Readiness.NOT_READY else 200)
