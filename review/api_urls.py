from django.urls import path

from review.api import Decide, Decisions, OneDecision
from review.embed.api import EmbedTokens

app_name = "review_api"
urlpatterns = [
    path("proposals/<int:pk>/decision/", Decide.as_view(), name="decide"),
    path("decisions/", Decisions.as_view(), name="decisions"),
    path("decisions/<int:pk>/", OneDecision.as_view(), name="decision"),
    path("sources/<slug:slug>/embed-tokens", EmbedTokens.as_view(), name="embed_tokens"),
]
