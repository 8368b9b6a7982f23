from django.urls import path

from review.api import Decide, Decisions, OneDecision

app_name = "review_api"
urlpatterns = [
    path("proposals/<int:pk>/decision/", Decide.as_view(), name="decide"),
    path("decisions/", Decisions.as_view(), name="decisions"),
    path("decisions/<int:pk>/", OneDecision.as_view(), name="decision"),
]
