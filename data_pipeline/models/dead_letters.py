"""Artefacts that could not be processed."""

from django.db import models
from django.db.models.functions import Now

from data_pipeline.domain.dead_letters import LetterState
from data_pipeline.models.columns import FixedCharField


class LoadDeadLetter(models.Model):
    """An artefact that could not be processed as a whole, in one version."""

    id = models.BigAutoField(primary_key=True)
    source = models.CharField(max_length=128)
    idempotency_key = FixedCharField(max_length=64)  # of the version
    uri = models.TextField()
    options = models.JSONField(default=dict, db_default={})  # with which it is replayed
    error_code = models.TextField()  # SQLSTATE, or a word of this app
    error_message = models.CharField(max_length=1024)
    attempts = models.IntegerField(default=1, db_default=1)
    next_try_at = models.DateTimeField(null=True)  # null if it is not tried again by itself
    state = models.TextField(default=LetterState.OPEN, db_default=LetterState.OPEN)
    load_id = models.BigIntegerField(null=True)  # the last load that failed; it may be pruned
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "load_dead_letter"
        verbose_name = "dead letter"
        constraints = (
            models.UniqueConstraint(fields=["source", "idempotency_key"], name="load_dead_letter_key"),
            models.CheckConstraint(condition=models.Q(state__in=list(LetterState)), name="load_dead_letter_state"),
        )
        indexes = (
            models.Index(
                fields=["source"], condition=~models.Q(state=LetterState.RESOLVED), name="load_dead_letter_unsettled"
            ),
        )

    def __str__(self) -> str:
        return f"dead letter {self.pk} of {self.uri}"
