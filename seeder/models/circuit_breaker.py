"""The circuit breakers, one for each database, shared by all processes that refresh."""

from django.db import models
from django.db.models.functions import Now


class CircuitBreaker(models.Model):
    """The breaker of one database. Optional: without this table each process has its own."""

    database_alias = models.TextField(primary_key=True)
    failures = models.IntegerField(db_default=0)
    opened_at = models.DateTimeField(null=True)
    last_trial_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        managed = False
        db_table = '"reporting"."seeder_circuit_breaker"'

    def __str__(self) -> str:
        return f"{self.database_alias}: {'open' if self.opened_at else 'closed'}, {self.failures} failures in a row"
