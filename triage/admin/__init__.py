"""The owner's desk. Sign-in is the one that people know from the review pages."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin

from triage.admin import (
    catalogue,
    deliveries,
    drift,
    jobs,
    label_doubts,
    playbooks,
    record,
    rules,
    rungs,
    secrets,
    sources,
    stops,
    tickets,
    tokens,
    training_runs,
    versions,
)

__all__ = [
    "catalogue",
    "deliveries",
    "drift",
    "jobs",
    "label_doubts",
    "playbooks",
    "record",
    "rules",
    "rungs",
    "secrets",
    "sources",
    "stops",
    "tickets",
    "tokens",
    "training_runs",
    "versions",
]

admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]  # allauth's way
admin.site.index_template = "triage/admin/index.html"
admin.site.index_title = "What needs an owner"
