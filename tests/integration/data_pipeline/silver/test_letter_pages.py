"""The admin pages of dead letters."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User

from data_pipeline.models import LoadDeadLetter
from tests.integration.data_pipeline.admin_scene import client_with

LETTERS = "/admin/data_pipeline/loaddeadletter/"
VIEW = "data_pipeline.view_loaddeadletter"


@pytest.fixture(autouse=True)
def letter(load_tables: None) -> Iterator[LoadDeadLetter]:
    User.objects.all().delete()
    yield LoadDeadLetter.objects.create(
        source="silver.transform",
        idempotency_key="a" * 64,
        uri="s3://bronze/10/orders.csv",
        error_code="too_many_rejects",
        error_message="the value 17 was refused",
        load_id=3,
    )
    User.objects.all().delete()


def test_list_shows_open_letters_by_filter() -> None:
    client = client_with(VIEW)
    page = client.get(LETTERS).content.decode()
    assert "orders.csv" in page
    assert "too_many_rejects" in page
    assert "orders.csv" in client.get(LETTERS, {"state": "open"}).content.decode()
    assert "orders.csv" not in client.get(LETTERS, {"state": "resolved"}).content.decode()
    assert "orders.csv" not in client.get(LETTERS, {"q": "x"}).content.decode()


def test_message_needs_the_permission_to_see_values(letter: LoadDeadLetter) -> None:
    path = f"{LETTERS}{letter.pk}/change/"
    assert "was refused" not in client_with(VIEW).get(path).content.decode()
    assert "was refused" in client_with(VIEW, "data_pipeline.see_raw", name="other").get(path).content.decode()
    assert client_with(name="third").get(path).status_code in {302, 403}
