from django.urls import path

from triage.api.ledger import LedgerHead
from triage.api.views import OneProposal, OneTicket, Proposals, Tickets
from triage.intake.webhook import SourceWebhook

app_name = "triage_api"
urlpatterns = [
    path("sources/<slug:slug>/webhook", SourceWebhook.as_view(), name="webhook"),
    path("tickets/", Tickets.as_view(), name="tickets"),
    path("tickets/<int:pk>/", OneTicket.as_view(), name="ticket"),
    path("proposals/", Proposals.as_view(), name="proposals"),
    path("proposals/<int:pk>/", OneProposal.as_view(), name="proposal"),
    path("ledger/head/", LedgerHead.as_view(), name="ledger_head"),
]
