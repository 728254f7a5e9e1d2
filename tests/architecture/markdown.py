"""The documentation as tests read it."""

import re
from pathlib import Path

from tests.conftest import CHECKOUT

DOCS = CHECKOUT / "docs"
PAGES = sorted([CHECKOUT / "README.md", CHECKOUT / "CONTRIBUTING.md", *DOCS.rglob("*.md")])


def page_text(page: Path | str) -> str:
    """Of a page, or of the one of that name in docs/."""
    return (DOCS / page).read_text(encoding="utf-8")


def table_rows(page: str, *header: str) -> list[list[str]]:
    """The cells of every table that begins with these columns, a list for each row."""
    result = []
    for table in re.findall(r"(?:^\|.*\|\n)+", page_text(page), re.MULTILINE):
        first, _, *body_rows = (
            [cell.strip() for cell in re.split(r"(?<!\\)\|", line[1:-1])] for line in table.splitlines()
        )
        if first[: len(header)] == list(header):
            result += body_rows
    assert result, f"{page} has no table with the columns {header}"
    return result


def code_span(cell: str) -> str:
    """What a cell says between backticks."""
    quoted = re.fullmatch("`(.*)`", cell)
    assert quoted, cell
    return quoted[1]


def code_blocks(markdown: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", markdown, re.MULTILINE | re.DOTALL)


def heading_anchors(markdown: str) -> set[str]:
    """What a link to a heading is called."""
    headings = re.findall(r"^#+ (.*)$", markdown, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
