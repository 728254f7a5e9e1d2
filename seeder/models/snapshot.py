"""Release snapshots: the shape and statistics of a view at a release. Never updated."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class ReleaseSnapshot(models.Model):
    """A snapshot of one view at one release tag."""

    id = models.BigAutoField(_("id"), primary_key=True)
    table_name = models.TextField(_("table name"))
    release_tag = models.TextField(_("release tag"))
    release_version = models.TextField(_("release version"), null=True)
    captured_at = models.DateTimeField(_("captured at"), db_default=Now())
    schema_hash = models.TextField(_("schema hash"))
    definition_hash = models.TextField(_("definition hash"))
    server_version = models.IntegerField(
        _("server version")
    )  # of the server that printed the definition, such as 180006
    exact = models.BooleanField(_("exact"))  # False: estimated from a sample
    row_count = models.BigIntegerField(_("row count"))
    column_count = models.IntegerField(_("column count"))
    columns = models.JSONField(_("columns"))  # [{"name", "type", "nullable"}, …] in order
    column_statistics = models.JSONField(
        _("column statistics")
    )  # {column: fields of ColumnStatistics, without top values}
    top_values = models.JSONField(_("top values"), null=True)  # {column: [[value, count], …]} of the requested columns

    class Meta:
        managed = False
        db_table = '"reporting"."seeder_release_snapshot"'
        verbose_name = _("release snapshot")
        verbose_name_plural = _("release snapshots")
        permissions = (("capture_releasesnapshot", "Can capture release snapshots"),)

    def __str__(self) -> str:
        return gettext("%(view)s at %(tag)s") % {"view": self.table_name, "tag": self.release_tag}
