"""Users of the admin, and rows for its lists."""

from django.contrib.auth.models import Permission, User
from django.test import Client

from tests.conftest import sql

READER_PERMISSIONS = ("view_jobstatus", "view_runhistory", "view_run", "view_releasesnapshot", "view_queuedrefresh")


def client_with(*permissions: str, name: str = "user") -> Client:
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions, content_type__app_label="seeder"))
    client = Client()
    client.force_login(user)
    return client


def get_page(client: Client, path: str, **parameters: str) -> str:
    response = client.get(f"/admin/seeder/{path}", parameters)
    assert response.status_code == 200
    return str(response.content.decode())


def scope_by_name(user: User) -> list[str] | None:
    return ["demo"] if user.username == "demo" else None


def fill(rows: int) -> None:
    """Insert history rows of 50 agencies, five minutes apart."""
    sql(
        "INSERT INTO reporting.seeder_run_history"
        " (run_id, manifest_id, table_name, report_name, agency_id, agency_slug, report_type, status, start_time)"
        " SELECT 'run ' || n / 100, n % 1000, 'reporting.v' || n % 1000, 'v', n % 50, 'agency ' || n % 50, 'custom',"
        " CASE WHEN n % 200 = 0 THEN 'error' ELSE 'success' END, now() - n * interval '5 minutes'"
        f" FROM generate_series(1, {rows}) AS n"
    )
    sql("ANALYZE reporting.seeder_run_history")
