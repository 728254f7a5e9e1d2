"""As of when the data of each view are. The table is optional."""

from django.db import models
from django.db.models.functions import Now


class ViewState(models.Model):
    """A view as seeder's last refresh left it."""

    pk = models.CompositePrimaryKey("database_alias", "schema_name", "view_name")
    database_alias = models.TextField()
    schema_name = models.TextField()
    view_name = models.TextField()
    view_oid = models.BigIntegerField()
    view_xmin = models.TextField()  # of its row in pg_class, which every refresh writes
    data_as_of = models.DateTimeField(null=True)  # everything visible then is in the view; null if unknown
    unknown = models.TextField(null=True)  # why it is unknown
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        managed = False
        db_table = '"reporting"."seeder_view_state"'
