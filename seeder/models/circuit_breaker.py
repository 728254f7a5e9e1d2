"""Circuit breakers, shared by all processes. Optional: without the table each process has its own."""

from django.db import models
from django.db.models.functions import Now


class CircuitBreaker(models.Model):
    """The circuit breaker of one database."""

    database_alias = models.TextField(primary_key=True)
    failures = models.IntegerField(db_default=0)
    opened_at = models.DateTimeField(null=True)
    last_trial_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(db_default=Now())
    causes = models.JSONField(db_default=models.Value({}, models.JSONField()))  # {view: reason} of the failures

    class Meta:
        managed = False
        db_table = '"reporting"."seeder_circuit_breaker"'
