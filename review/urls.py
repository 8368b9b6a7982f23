from django.urls import URLPattern, URLResolver, include, path

from review.views import (
    decide,
    history,
    queue,
    saved,
    search,
    skip,
    ticket,
    undo,
    upcoming,
    windows,
)

app_name = "review"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", queue.queue, name="queue"),
    path("tickets/<int:pk>/", ticket.ticket, name="ticket"),
    path("tickets/next/", upcoming.next_one, name="next"),
    path("tickets/<int:pk>/ahead/", upcoming.ahead, name="ahead"),
    path("tickets/<int:pk>/lease/", windows.lease, name="lease"),
    path("tickets/<int:pk>/effects/", ticket.effects, name="effects"),
    path("proposals/<int:pk>/accept", decide.accept, name="accept"),
    path("proposals/<int:pk>/override", decide.override, name="override"),
    path("proposals/<int:pk>/escalate", decide.escalate, name="escalate"),
    path("proposals/<int:pk>/send-back", decide.send_back, name="send_back"),
    path("proposals/<int:pk>/reverse", undo.reverse, name="reverse"),
    path("decisions/<int:pk>/undo", undo.take_back, name="undo"),
    path("decisions/undo", undo.take_back_last, name="undo_last"),
    path("search/", search.search, name="search"),
    path("views/", saved.views, name="views"),
    path("views/save", saved.save, name="view_save"),
    path("views/<int:pk>/change", saved.change, name="view_change"),
    path("views/<int:pk>/delete", saved.delete, name="view_delete"),
    path("views/<int:pk>/unshare", saved.unshare, name="view_unshare"),
    path("proposals/<int:pk>/skip", skip.skip, name="skip"),
    path("proposals/<int:pk>/unskip", skip.unskip, name="unskip"),
    path("skipped/", skip.skipped, name="skipped"),
    path("leases/renew", windows.heartbeat, name="renew"),
    path("leases/release", windows.release, name="release"),
    path("history/", history.history, name="history"),
    path("metrics/", include("review.metrics.urls")),
]
