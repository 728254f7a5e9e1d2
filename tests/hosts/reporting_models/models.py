from django.db import models


class Agency(models.Model):
    """An agency that receives reports."""

    title = models.CharField(max_length=100)

    def __str__(self) -> str:
        return self.title
