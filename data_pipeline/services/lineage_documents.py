"""JSON documents of lineages."""

from collections.abc import Mapping
from typing import Any

from data_pipeline.services.overview_documents import summary_document
from data_pipeline.services.stats.documents import as_of_document
from data_pipeline.services.table_lineage import TableLineage
from seeder.domain.as_of import RelationAsOf


def lineage_document(lineage: TableLineage) -> Mapping[str, Any]:
    views = lineage.views
    return {
        "table": views.table,
        "loads": [summary_document(one) for one in lineage.loads],
        "views": [
            {"view": view, "layer": number, "reads": sorted(views.reads[view])}
            for number, layer in enumerate(views.layers, start=1)
            for view in layer
        ],
        "undetermined": list(views.undetermined),
        "hiddenViews": views.hidden,
    }


def view_as_of_document(view: str, as_of: RelationAsOf) -> Mapping[str, Any]:
    return {"view": view, **as_of_document(as_of)}
