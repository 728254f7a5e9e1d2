"""Short paths for clients that know no version: the same views as below `v1/`.

Each path may end with a slash.
"""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
