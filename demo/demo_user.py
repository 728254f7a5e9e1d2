"""A login with a public password, for the embedded database only."""

from django.contrib.auth import get_user_model

from demo import embedded_only

NAME = PASSWORD = "demo"  # noqa: S105  # it is public


def create() -> None:
    """Create a superuser with that name and password. Raises `DemoError` on any other database."""
    embedded_only.require_embedded_database()
    users = get_user_model()._base_manager
    user, _ = users.get_or_create(username=NAME)
    user.is_active = user.is_staff = user.is_superuser = True
    user.set_password(PASSWORD)
    user.save()
