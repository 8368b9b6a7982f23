from django.urls import URLPattern, URLResolver, include, path

from review.views import decide, history, queue, ticket

app_name = "review"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", queue.queue, name="queue"),
    path("tickets/<int:pk>/", ticket.ticket, name="ticket"),
    path("tickets/<int:pk>/effects/", ticket.effects, name="effects"),
    path("proposals/<int:pk>/accept", decide.accept, name="accept"),
    path("proposals/<int:pk>/override", decide.override, name="override"),
    path("proposals/<int:pk>/escalate", decide.escalate, name="escalate"),
    path("proposals/<int:pk>/send-back", decide.send_back, name="send_back"),
    path("history/", history.history, name="history"),
    path("metrics/", include("review.metrics.urls")),
]
