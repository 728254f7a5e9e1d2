from django.apps import AppConfig


class SeederConfig(AppConfig):
    name = "seeder"
    verbose_name = "Reporting seeder"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from seeder import checks  # noqa: F401  # registering is what importing it is for
