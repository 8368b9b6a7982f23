from django.urls import path

from review.embed import views

app_name = "embed"
urlpatterns = [
    path("accept", views.accept, name="accept"),
    path("override", views.override, name="override"),
    path("escalate", views.escalate, name="escalate"),
    path("send-back", views.send_back, name="send_back"),
    path("undo", views.undo, name="undo"),
    path("look", views.look, name="look"),
    path("effects", views.effects, name="effects"),
    path("<slug:slug>/<path:external_id>", views.panel, name="panel"),
]
