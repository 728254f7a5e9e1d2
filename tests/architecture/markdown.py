"""The documentation as tests read it."""

import re
from pathlib import Path

from tests.conftest import CHECKOUT

DOCS = CHECKOUT / "docs"
PAGES = sorted([CHECKOUT / "README.md", CHECKOUT / "CONTRIBUTING.md", *DOCS.rglob("*.md")])


def page_text(page: Path | str) -> str:
    """Return the text of a page by its path, relative to docs/."""
    return (DOCS / page).read_text(encoding="utf-8")


def code_blocks(markdown: str, language: str) -> list[str]:
    """Return the contents of all code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", markdown, re.MULTILINE | re.DOTALL)


def link_targets(markdown: str) -> list[str]:
    """Return the targets of all links and images."""
    return re.findall(r"\]\(([^)\s]+)\)", markdown)


def heading_anchors(markdown: str) -> set[str]:
    """Return the anchors of all headings."""
    headings = re.findall(r"^#+ (.*)$", markdown, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
