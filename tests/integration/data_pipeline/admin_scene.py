"""Loads with rejects and dependent views, and users, for the tests of the admin pages."""

from contextlib import suppress
from pathlib import Path

from django.contrib.auth.models import Permission, User
from django.test import Client

from data_pipeline import load_file
from data_pipeline.errors import PipelineError
from data_pipeline.services.tracking import track_loads
from tests.conftest import create_custom_manifest, sql

GOOD = b"id,name,price\n1,Alpha,10.50\n2,Beta,7\n3,Gamma,99\n"
VIEWS = {
    "reporting.orders_by_name": "SELECT name, sum(price) AS n FROM landing.orders GROUP BY 1",
    "reporting.order_count": "SELECT count(*) AS n FROM landing.orders",
    "reporting.top_orders": "SELECT * FROM reporting.orders_by_name ORDER BY n DESC LIMIT 3",
    "reporting.unrelated": "SELECT 1 AS n",
}
BAD = b'id,name,price\n4,Delta,12.x\n5,"Ep\xff\x80silon",8\n6,Zeta,today,extra\n7,Eta,3.50\n'


def create_loads(folder: Path) -> None:
    """Load a clean file and one with rejects into a table with views in two layers, and fail to load a third file."""
    sql("CREATE TABLE landing.orders (id bigint PRIMARY KEY, name text NOT NULL, price numeric)")
    track_loads("landing.orders")
    for view, query in VIEWS.items():
        create_custom_manifest(view, query)
        sql(f"CREATE MATERIALIZED VIEW {view} AS {query}")
    for name, content in (("orders.csv", GOOD), ("orders-damaged.csv", BAD), ("headless.csv", b"x,y\n1,2\n")):
        (folder / name).write_bytes(content)
        with suppress(PipelineError):
            load_file(str(folder / name), table="landing.orders", max_rejects=10)


def client_with(*permissions: str, name: str = "user") -> Client:
    """Return a logged-in client of a user with these permissions: `app_label.codename`."""
    user = User.objects.create_user(name, is_staff=True)
    for permission in permissions:
        app_label, codename = permission.split(".")
        user.user_permissions.add(Permission.objects.get(codename=codename, content_type__app_label=app_label))
    client = Client()
    client.force_login(user)
    return client
