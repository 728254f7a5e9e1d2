"""Descriptions of the documents of lineages for the OpenAPI schema."""

from typing import Any

from rest_framework import serializers

from data_pipeline.api.load_serializers import LoadSerializer
from data_pipeline.api.stats_serializers import RelationAsOfSerializer


class DependentViewSerializer(serializers.Serializer[Any]):
    """A materialized view that depends on a table."""

    view = serializers.CharField()
    layer = serializers.IntegerField(help_text="from 1; a view reads the table, or views of earlier layers")
    reads = serializers.ListField(child=serializers.CharField(), help_text="the table, or views")


class TableLineageSerializer(serializers.Serializer[Any]):
    """What a table was loaded from, and what depends on it."""

    table = serializers.CharField()
    loads = LoadSerializer(many=True, help_text="the last 20, latest first")
    views = DependentViewSerializer(many=True, help_text="of enabled manifests, limited to visible ones")
    undetermined = serializers.ListField(
        child=serializers.CharField(),
        help_text="views that call functions with text bodies, so that their dependencies are unknown",
    )
    hiddenViews = serializers.IntegerField(help_text="dependent views that are not visible to the user, or too many")


class ViewAsOfSerializer(RelationAsOfSerializer):
    """Which loads a view contains."""

    view = serializers.CharField()
