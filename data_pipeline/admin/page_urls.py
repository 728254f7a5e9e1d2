"""URLs of the pages of loads."""

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString


def load(site: AdminSite, load_id: int) -> str:
    return reverse("admin:data_pipeline_loadlog_change", args=[load_id], current_app=site.name)


def visible_load(request: HttpRequest, load_id: int) -> str | None:
    """Return the page of a load if the user may see it."""
    if not request.user.has_perm("data_pipeline.view_loadlog"):
        return None
    return reverse("admin:data_pipeline_loadlog_change", args=[load_id], current_app=request.current_app)


def load_link(site: AdminSite, load_id: int) -> SafeString:
    return format_html('<a href="{}">{}</a>', load(site, load_id), load_id)


def load_action_name(action: str) -> str:
    """Return the name of the URL of an action."""
    return f"data_pipeline_load_{action}"


def load_action(site: AdminSite, load_id: int, action: str) -> str:
    return reverse(f"admin:{load_action_name(action)}", args=[load_id], current_app=site.name)


def mute(site: AdminSite, load_id: int) -> str:
    """Return the page that mutes the source of a load."""
    return reverse("admin:data_pipeline_load_mute", args=[load_id], current_app=site.name)


def reject(site: AdminSite, reject_id: int) -> str:
    return reverse("admin:data_pipeline_loadreject_change", args=[reject_id], current_app=site.name)


def request(site: AdminSite, request_id: int) -> str:
    return reverse("admin:data_pipeline_loadrequest_change", args=[request_id], current_app=site.name)


def rejects_of(site: AdminSite, load_id: int) -> str:
    return reverse("admin:data_pipeline_loadreject_changelist", query={"load": load_id}, current_app=site.name)


def loads_of(site: AdminSite, target: str) -> str:
    return reverse("admin:data_pipeline_loadlog_changelist", query={"target": target}, current_app=site.name)
