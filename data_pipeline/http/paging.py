"""Pages of an API that end, even if the API's do not."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from data_pipeline.http_errors import TooManyPages
from seeder.texts import Text

Page = TypeVar("Page")


def iterate_pages(
    fetch: Callable[[str | None], tuple[Page, str | None]], *, integration: str, max_pages: int = 10_000
) -> Iterator[Page]:
    """Yield pages. `fetch` takes a cursor, at first None, and returns a page with the next cursor, at last None.

    Raises `TooManyPages` for a cursor that was used before, and after `max_pages`.
    """
    cursor, used = None, set[str]()
    for pages in range(1, max_pages + 1):
        page, cursor = fetch(cursor)
        yield page
        if not cursor:
            return
        if cursor in used:
            raise TooManyPages(integration=integration, problem=Text("the same cursor again"), pages=pages)
        used.add(cursor)
    raise TooManyPages(integration=integration, problem=Text("another page"), pages=max_pages)
