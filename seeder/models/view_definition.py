"""Queries that are known to match the definition of a view. The table is optional."""

from django.db import models


class ViewDefinition(models.Model):
    """The hash of a query that matches a view's definition, and of the names that the query uses.

    It stays valid while those names mean the same, because neither the OID nor the definition of a view can change.
    """

    pk = models.CompositePrimaryKey("database_alias", "view_oid", "query_md5")
    database_alias = models.TextField()
    view_oid = models.BigIntegerField()
    query_md5 = models.TextField()

    class Meta:
        managed = False
        db_table = '"reporting"."seeder_view_definition"'
