"""Whether this process lives, and whether views can be refreshed. Told to anybody, so in words that tell no more."""

from django.http import HttpRequest, HttpResponse, JsonResponse

from seeder.domain.monitoring.health_status import Readiness
from seeder.probes.probe_decorator import probe
from seeder.services.read_models import health_check


@probe
def alive(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  # every view is given it
    """200 for as long as this process answers anything. Asks no database."""
    return JsonResponse({"status": "alive"})


@probe
def ready(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """200, or 503 where no refresh could be done or asked for."""
    report = health_check.check_health()
    body = {"status": report.readiness, "checks": report.components}
    return JsonResponse(body, status=503 if report.readiness is Readiness.NOT_READY else 200)
