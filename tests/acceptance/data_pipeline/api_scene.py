"""Loads of two agencies, and callers of the API of loads."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from django.http import HttpResponse
from django_q.models import OrmQ
from rest_framework.test import APIClient

from data_pipeline import load_file, tasks
from data_pipeline.errors import PipelineError
from data_pipeline.services.tracking import track_loads
from tests.acceptance import api_clients
from tests.conftest import create_custom_manifest, sql

ROOT = "/api/pipeline/v1/"
READER = ("view_loadlog", "view_loadrequest", "view_loadreject")
OPERATOR = (*READER, "load", "undo", "see_raw")
ORDERS, DAMAGED, HEADLESS, FEES = 1, 2, 3, 4  # ids of the loads
_FILES = {
    "orders.csv": ("landing.orders", b"id,name,price\n1,Alpha,10.50\n2,Beta,7\n3,Gamma,99\n"),
    "orders-damaged.csv": ("landing.orders", b"id,name,price\n4,Delta,12.x\n5,=SUM(A1),oops\n6,Zeta,3\n7,\xff,1\n"),
    "headless.csv": ("landing.orders", b"x,y\n1,2\n"),
    "fees.csv": ("landing.fees", b"id,amount\n1,5\n"),
}
_VIEWS = {"reporting.order_total": ("landing.orders", "demo"), "reporting.fee_total": ("landing.fees", "harbor")}


def create_loads(folder: Path) -> None:
    """Load orders of the agency demo: a clean file, one with rejects, and one that fails. Then fees of harbor."""
    sql("CREATE TABLE landing.orders (id bigint PRIMARY KEY, name text NOT NULL, price numeric)")
    sql("CREATE TABLE landing.fees (id bigint PRIMARY KEY, amount numeric)")
    track_loads("landing.orders")
    for view, (table, agency) in _VIEWS.items():
        query = f"SELECT count(*) AS n FROM {table}"
        create_custom_manifest(view, query, agency=agency)
        sql(f"CREATE MATERIALIZED VIEW {view} AS {query}")
    for name, (table, content) in _FILES.items():
        (folder / name).write_bytes(content)
        with suppress(PipelineError):
            load_file(str(folder / name), table=table, max_rejects=10)
    OrmQ.objects.all().delete()


def client(name: str, *permissions: str, agencies: str = "demo", **facts: Any) -> APIClient:
    """Return a client of a user with permissions of loads."""
    return api_clients.api_client(api_clients.create_user(name, *permissions, agencies=agencies, **facts))


def answer(response: HttpResponse, status: int = 200) -> Any:
    """Return the JSON of a response with a status."""
    assert response.status_code == status, response.content
    return response.json()  # type: ignore[attr-defined]


def run_queued() -> dict[str, object]:
    """Run the task of the only message as a worker does. Return its result."""
    message = OrmQ.objects.get()
    assert message.task["func"] == "data_pipeline.tasks.import_file"
    message.delete()
    return dict(tasks.import_file(*message.task["args"]))
