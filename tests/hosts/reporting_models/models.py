from django.db import models


class Agency(models.Model):
    """Whom reports are for."""

    title = models.CharField(max_length=100)

    def __str__(self) -> str:
        return self.title
