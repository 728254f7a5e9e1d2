"""Error pages of the admin."""

from collections.abc import Callable

from django.contrib.admin import AdminSite
from django.db import DEFAULT_DB_ALIAS
from django.http import HttpRequest, HttpResponse
from django.template.response import SimpleTemplateResponse, TemplateResponse

from seeder.errors import BadName, DifferentViews, SeederError, UnknownRun, UnknownSnapshot, UnknownTable
from seeder.postgres.sqlstates import translate_database_errors


def render_or_error(request: HttpRequest, site: AdminSite, build_page: Callable[[], HttpResponse]) -> HttpResponse:
    """Render the page, or an error page for an expected error."""
    try:
        with translate_database_errors(DEFAULT_DB_ALIAS):
            page = build_page()
            return page.render() if isinstance(page, SimpleTemplateResponse) else page
    except (UnknownRun, UnknownSnapshot, UnknownTable, BadName) as error:
        return error_page(request, site, str(error), status=404)
    except DifferentViews as error:
        return error_page(request, site, str(error), status=400)
    except SeederError as error:
        return error_page(request, site, str(error), status=503)


def error_page(request: HttpRequest, site: AdminSite, message: str, *, status: int) -> HttpResponse:
    context = {**site.each_context(request), "title": "Page unavailable", "message": message}
    return TemplateResponse(request, "seeder/error.html", context, status=status).render()
