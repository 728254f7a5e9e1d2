"""Short paths for clients that know no version: the same views as below `v1/`.

Each path may end with a slash.
"""

from django.urls import URLPattern, re_path

from data_pipeline.api import stats_endpoints

urlpatterns: list[URLPattern] = [
    re_path(r"^stats/(?P<name>[^/]+)/?$", stats_endpoints.StatisticView.as_view()),
    re_path(r"^score/?$", stats_endpoints.ScoreView.as_view()),
]
