"""Endpoints for statistics and scores."""

from typing import ClassVar

from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from data_pipeline.api.base_view import PipelineView
from data_pipeline.api.stats_serializers import (
    FILTER_PARAMETERS,
    ScoreRequestSerializer,
    ScoreSerializer,
    StatisticQuerySerializer,
    StatisticSerializer,
)
from data_pipeline.services.stats.documents import score_document, statistic_document
from data_pipeline.services.stats.reading import Statistic, StatisticRequest, read_score, read_statistic
from data_pipeline.stats_errors import FilterError, PageOutdated
from seeder.api.authentication_and_throttling import READ, WRITE
from seeder.api.cursor_text import encode_values
from seeder.api.exception_handler import ErrorStatuses
from seeder.api.operation_description import describe_operation
from seeder.errors import ConfigurationError, DatabaseError
from seeder.services.translation import translated

_VIEW_STATS = "data_pipeline.view_stats"


class BaseStatsView(PipelineView):
    required_permissions: ClassVar = {READ: _VIEW_STATS, WRITE: _VIEW_STATS}
    error_statuses: ClassVar[ErrorStatuses] = (
        ((ConfigurationError, DatabaseError), status.HTTP_503_SERVICE_UNAVAILABLE),
        ((PageOutdated,), status.HTTP_409_CONFLICT),
        *PipelineView.error_statuses,
    )


class StatisticView(BaseStatsView):
    @describe_operation(
        "getStatistic",
        StatisticSerializer,
        parameters=[StatisticQuerySerializer, FILTER_PARAMETERS],
        errors={
            409: "The view was refreshed after the page before.",
            422: "The period is too long, and `REQUIRE_CLAMP` is set.",
        },
    )
    def get(self, request: Request, name: str) -> Response:
        """Get a page of a statistic: rows of its view, and as of which loads they are.

        The latest days come first. A parameter that is neither documented nor a column is refused.
        """
        query = self.validated_query(StatisticQuerySerializer)
        version, offset = query.pop("cursor", (None, 0))
        wanted = StatisticRequest(name=name, agencies=self.visible_agencies, version=version, offset=offset, **query)
        try:
            statistic = read_statistic(wanted)
        except FilterError as error:
            raise ValidationError({str(error.facts["parameter"]): [translated(error)]}) from error
        size = wanted.page_size
        following = self._page_url(statistic, offset + size) if statistic.has_more else None
        previous = self._page_url(statistic, max(0, offset - size)) if offset else None
        return Response(statistic_document(name, statistic, following=following, previous=previous))

    def _page_url(self, statistic: Statistic, offset: int) -> str:
        return self.url_with("cursor", encode_values(statistic.version, offset))


class ScoreView(BaseStatsView):
    throttle_classes = []  # it only reads

    @describe_operation(
        "score",
        ScoreSerializer,
        request=ScoreRequestSerializer,
        status=status.HTTP_200_OK,
        errors={422: "The ids have too many rows."},
    )
    def post(self, request: Request) -> Response:
        """Get the rows of the ROI view that have some ids."""
        ids = self.validated_body(ScoreRequestSerializer)["ids"]
        try:
            return Response(score_document(read_score(ids, self.visible_agencies)))
        except FilterError as error:
            raise ValidationError({"ids": [translated(error)]}) from error
