"""The texts of the sections of the monitoring page."""

import re

from django.test import Client

from tests.integration.admin.admin_clients import get_page


def attention(client: Client) -> str:
    """Return the text of what needs attention."""
    [section] = re.findall(r'<section class="attention".*?</section>', get_page(client, "monitoring/"), re.DOTALL)
    return text_of(section)


def nights(client: Client) -> str:
    """Return the text of the first lines of the page."""
    [section] = re.findall(r'<section class="nights".*?</section>', get_page(client, "monitoring/"), re.DOTALL)
    return text_of(section)


def shown_text(client: Client) -> str:
    return text_of(get_page(client, "monitoring/"))


def cells(page: str, table_name: str) -> list[str]:
    """Return the accessible names of a row's cells."""
    [row] = re.findall(rf'<tr id="row-(?:(?!</tr>).)*: {table_name}".*?</tr>', page, re.DOTALL)
    return re.findall(r'role="img" aria-label="([^"]*)"', row)


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())
