"""URLs of the badge and the fragment. The signed part is the authorization."""

from django.urls import path

from seeder.embeds import views

app_name = "seeder-embeds"

urlpatterns = [
    path("freshness/<str:token>/badge.svg", views.badge, name="badge"),
    path("freshness/<str:token>/fragment.html", views.fragment, name="fragment"),
    path("freshness/<str:token>/frame.html", views.frame, name="frame"),
]
