"""Base class of lists whose rows are found by their id."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from data_pipeline.admin import page_urls
from data_pipeline.admin.load_cells import labelled
from data_pipeline.domain.row_ids import parse_row_id
from seeder.admin.read_only_admin import ReadOnlyAdmin
from seeder.templatetags.seeder_pages import EMPTY_VALUE


class IdListAdmin(ReadOnlyAdmin):
    """A list, latest row first, that is searched by id. A row may belong to a load."""

    ordering = ("-pk",)
    sortable_by = ()
    search_fields: ClassVar[tuple[str, ...]] = ("id",)
    change_list_template = "data_pipeline/list.html"
    actions: Sequence[str] | None = None

    def search(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        row_id = parse_row_id(term)
        return rows.none() if row_id is None else rows.filter(pk=row_id)

    @admin.display(description=_("load"))
    def load_link(self, row: Any) -> SafeString | str:
        return "" if row.load_id is None else page_urls.load_link(self.admin_site, row.load_id)

    @admin.display(description=_("load"))
    def load_cell(self, row: Any) -> SafeString:
        return labelled(_("load"), self.load_link(row) or EMPTY_VALUE)
