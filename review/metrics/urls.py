"""Pages of the metrics, to be included below the review namespace."""

from django.urls import path

from review.metrics import views

urlpatterns = [
    path("", views.overview, name="metrics"),
    path("tickets/", views.tickets, name="metrics_tickets"),
    path("<slug:key>.csv", views.table, name="metrics_csv"),
]
