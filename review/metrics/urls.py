"""Pages of the metrics, to be included below the review namespace."""

from django.urls import path

from review.metrics import definition_views, views
from review.metrics.kpis import views as kpi_views
from review.metrics.sections import SECTIONS
from review.weekly import views as weekly_views

urlpatterns = [
    path("", views.overview, name="metrics"),
    *(path(f"{slug}/", views.section, {"slug": slug}, name=f"metrics_{slug}") for slug in SECTIONS),
    path("tickets/", views.tickets, name="metrics_tickets"),
    path("kpis/", kpi_views.kpis, name="metrics_kpis"),
    path("kpis/tickets/", kpi_views.tickets, name="metrics_kpi_tickets"),
    path("kpis/baseline", kpi_views.baseline, name="kpi_baseline"),
    path("kpis/target", kpi_views.target, name="kpi_target"),
    path("kpis.csv", kpi_views.table, name="metrics_kpis_csv"),
    path("weekly/", weekly_views.weekly, name="weekly"),
    path("weekly/settings", weekly_views.settle, name="weekly_settings"),
    path("weekly.pdf", weekly_views.pdf, name="weekly_pdf"),
    path("definitions/", definition_views.definitions, name="definitions"),
    path(
        "definitions/comments/<int:pk>/delete",
        definition_views.delete_comment,
        name="definition_comment_delete",
    ),
    path("definitions/<slug:key>/", definition_views.metric, name="definition_in_force"),
    path("definitions/<slug:key>/propose/", definition_views.propose, name="definition_propose"),
    path("definitions/<slug:key>/<int:version>/", definition_views.definition, name="definition"),
    path(
        "definitions/<slug:key>/<int:version>/withdraw",
        definition_views.withdraw,
        name="definition_withdraw",
    ),
    path(
        "definitions/<slug:key>/<int:version>/comment",
        definition_views.comment,
        name="definition_comment",
    ),
    path(
        "definitions/<slug:key>/<int:version>/open-vote",
        definition_views.open_vote,
        name="definition_open_vote",
    ),
    path(
        "definitions/<slug:key>/<int:version>/vote", definition_views.vote, name="definition_vote"
    ),
    path(
        "definitions/<slug:key>/<int:version>/close-vote",
        definition_views.close_vote,
        name="definition_close_vote",
    ),
    path(
        "definitions/<slug:key>/<int:version>/activate",
        definition_views.activate,
        name="definition_activate",
    ),
    path(
        "definitions/<slug:key>/<int:version>/retire",
        definition_views.retire,
        name="definition_retire",
    ),
    path("<slug:key>.csv", views.table, name="metrics_csv"),
]
