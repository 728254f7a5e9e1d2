"""Previous values of changed rows, with which a load is undone."""

from django.db import models

from data_pipeline.models.load_log import LoadLog


class LoadChange(models.Model):
    """The previous values of one row that a load updated or deleted.

    Inserted rows have the id of the load themselves.
    """

    id = models.BigAutoField(primary_key=True)
    load = models.ForeignKey(LoadLog, models.CASCADE, related_name="changes")
    target = models.TextField()  # the table, with its schema
    key = models.JSONField()  # the columns that identify the row, as texts; empty without a key
    old = models.JSONField(null=True)  # all columns before the load, as texts
    deleted = models.BooleanField(default=False, db_default=False)  # the load deleted the row

    class Meta:
        db_table = "load_change"
        indexes = (models.Index(fields=["target", "id"], name="load_change_target"),)

    def __str__(self) -> str:
        return f"{self.key} of {self.target}"
