"""URLs of the monitoring endpoints, of badges, and of the API with rest_framework."""

from django.apps import apps
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.decorators.csrf import csrf_exempt

from seeder.services import extras

_missing = extras.problem(extras.API, "The API")


@csrf_exempt
def _not_installed(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  # Django passes it
    """Answer 501 with the name of the missing extra; the system check seeder.E017 reports it too."""
    return HttpResponse(f"{_missing}\n", status=501, content_type="text/plain; charset=utf-8")


urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("seeder.probes.urls")),
    path("", include("seeder.embeds.urls")),
]
if apps.is_installed("rest_framework"):
    urlpatterns.append(re_path("^v1/", _not_installed) if _missing else path("", include("seeder.api.urls")))
