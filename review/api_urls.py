from django.urls import path

from review.api import Decide, Decisions, OneDecision
from review.api_undo import Reverse, ReverseApplied, Undo
from review.checks_api import Checks, OneCheck
from review.embed.api import EmbedTokens

app_name = "review_api"
urlpatterns = [
    path("proposals/<int:pk>/decision/", Decide.as_view(), name="decide"),
    path("proposals/<int:pk>/reverse/", ReverseApplied.as_view(), name="reverse_applied"),
    path("decisions/", Decisions.as_view(), name="decisions"),
    path("decisions/<int:pk>/", OneDecision.as_view(), name="decision"),
    path("decisions/<int:pk>/undo/", Undo.as_view(), name="undo"),
    path("decisions/<int:pk>/reverse/", Reverse.as_view(), name="reverse"),
    path("checks/", Checks.as_view(), name="checks"),
    path("checks/<int:pk>/", OneCheck.as_view(), name="check"),
    path("sources/<slug:slug>/embed-tokens", EmbedTokens.as_view(), name="embed_tokens"),
]
