"""Counters of all loads, which never fall. `services/metrics_snapshot.py` is their only writer."""

from django.db import models


class LoadTotal(models.Model):
    """A counter, up to the event in the row `folded_events`.

    Later events are added to it.
    """

    id = models.BigAutoField(primary_key=True)
    metric = models.TextField()
    source = models.TextField()  # of the loads; empty for `folded_events`
    label = models.TextField()  # a status, a reason or the upper bound of a bucket; empty without
    value = models.FloatField()

    class Meta:
        db_table = "load_total"
        constraints = (models.UniqueConstraint(fields=["metric", "source", "label"], name="load_total_counter"),)

    def __str__(self) -> str:
        return f"{self.metric} of {self.source}"
