"""Filters of lists by the value of a column."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from data_pipeline.domain.load_words import load_word
from seeder.admin.list_cells import ClosedFilter
from seeder.services.translation import translated


class ValueFilter(ClosedFilter):
    """Filter by a column. An index has its values."""

    choices_of: Callable[[], Sequence[str]]

    def lookups(self, _: HttpRequest, _admin: Any) -> Sequence[tuple[str, str]]:
        return [(value, value) for value in type(self).choices_of()]

    def queryset(self, _: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{str(self.parameter_name): self.value()}) if self.value() else queryset


class WordFilter(ValueFilter):
    """Filter by a column with a closed set of words."""

    words: type[StrEnum]

    def lookups(self, _: HttpRequest, _admin: Any) -> Sequence[tuple[str, str]]:
        return [(word, translated(load_word(word))) for word in self.words]
