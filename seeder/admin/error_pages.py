"""Error pages of the admin."""

from functools import wraps
from typing import Any

from django.contrib.admin import AdminSite
from django.db import DEFAULT_DB_ALIAS
from django.http import HttpRequest, HttpResponse
from django.template.response import SimpleTemplateResponse, TemplateResponse
from django.utils.translation import gettext

from seeder.errors import BadName, DifferentViews, SeederError, UnknownObject
from seeder.postgres.sqlstates import translate_database_errors


def with_error_page(site: AdminSite, view: Any) -> Any:
    """Wrap a view to answer an expected error with an error page."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            with translate_database_errors(DEFAULT_DB_ALIAS):
                page: HttpResponse = view(request, *args, **kwargs)
                return page.render() if isinstance(page, SimpleTemplateResponse) else page
        except SeederError as error:
            is_unknown = isinstance(error, UnknownObject | BadName)
            status = 404 if is_unknown else 400 if isinstance(error, DifferentViews) else 503
            return error_page(request, site, str(error), status=status)

    return wrapper


def error_page(request: HttpRequest, site: AdminSite, message: str, *, status: int) -> HttpResponse:
    context = {**site.each_context(request), "title": gettext("Page unavailable"), "message": message}
    return TemplateResponse(request, "seeder/error.html", context, status=status).render()
