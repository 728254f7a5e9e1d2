"""A filter of lists by the value of a column."""

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest


class ValueFilter(admin.SimpleListFilter):
    """Filter by a column. Its choices come from an index or an enum."""

    choices_of: Callable[[], Sequence[str]]

    def lookups(self, _: HttpRequest, _admin: Any) -> Sequence[tuple[str, str]]:
        return [(value, value) for value in type(self).choices_of()]

    def queryset(self, _: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{str(self.parameter_name): self.value()}) if self.value() else queryset
