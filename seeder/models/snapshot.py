"""Release snapshots: the shape and statistics of a view at a release. Never updated."""

from django.db import models
from django.db.models.functions import Now


class ReleaseSnapshot(models.Model):
    """A snapshot of one view at one release tag."""

    id = models.BigAutoField(primary_key=True)
    table_name = models.TextField()
    release_tag = models.TextField()
    release_version = models.TextField(null=True)
    captured_at = models.DateTimeField(db_default=Now())
    schema_hash = models.TextField()
    definition_hash = models.TextField()
    server_version = models.IntegerField()  # of the server that printed the definition, such as 180006
    exact = models.BooleanField()  # False: estimated from a sample
    row_count = models.BigIntegerField()
    column_count = models.IntegerField()
    columns = models.JSONField()  # [{"name", "type", "nullable"}, …] in order
    column_statistics = models.JSONField()  # {column: fields of ColumnStatistics, without top values}
    top_values = models.JSONField(null=True)  # {column: [[value, count], …]} of the requested columns

    class Meta:
        managed = False
        db_table = '"reporting"."seeder_release_snapshot"'
        permissions = (("capture_releasesnapshot", "Can capture release snapshots"),)

    def __str__(self) -> str:
        return f"{self.table_name} at {self.release_tag}"
