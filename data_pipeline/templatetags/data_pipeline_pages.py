"""Filters of the pages of loads."""

from typing import Any

from django import template

from data_pipeline.domain.load_words import load_word
from seeder.services.translation import translated

register = template.Library()


@register.filter("load_word")
def shown_word(name: Any) -> Any:
    """Translate the word for a name. Return anything else as it is."""
    return translated(load_word(name)) if isinstance(name, str) else name
