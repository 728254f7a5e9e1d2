"""Patterns of view names, as in a shell: `*`, `?` and `[…]`."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from seeder.domain.view_names import ViewName
from seeder.texts import Text


@dataclass(frozen=True, kw_only=True, slots=True)
class ViewPatterns:
    """Views that any of the patterns selects, or all without patterns, except those that another one excludes."""

    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = []
        if self.select:
            parts.append(Text("only {patterns}", patterns=" ".join(map(repr, self.select))))
        if self.exclude:
            parts.append(Text("without {patterns}", patterns=" ".join(map(repr, self.exclude))))
        return Text.joined(parts)

    def match(self, name: str) -> bool:
        """Return whether the view with this SQL name is selected."""
        is_selected = not self.select or any(matches(pattern, name) for pattern in self.select)
        return is_selected and not any(matches(pattern, name) for pattern in self.exclude)


def matches(pattern: str, name: str) -> bool:
    """Return whether a pattern matches the view's name, with or without its schema and quotes."""
    parsed = ViewName.parse_or_none(name)
    spellings = {name} if parsed is None else {str(parsed), f"{parsed.schema}.{parsed.name}", parsed.name}
    return any(fnmatchcase(spelling, pattern) for spelling in spellings)
