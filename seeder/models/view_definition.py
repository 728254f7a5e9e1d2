"""Which queries are known to be what a view was created from."""

from django.db import models


class ViewDefinition(models.Model):
    """A query that gives the definition that a view has, by its hash. It stays true: a view keeps its OID for life, and
    its definition with it. Optional: without this table every query is compared before every run."""

    pk = models.CompositePrimaryKey("database_alias", "view_oid", "query_md5")
    database_alias = models.TextField()
    view_oid = models.BigIntegerField()
    query_md5 = models.TextField()

    class Meta:
        managed = False
        db_table = '"reporting"."seeder_view_definition"'

    def __str__(self) -> str:
        return f"view {self.view_oid} of {self.database_alias} from query {self.query_md5}"
