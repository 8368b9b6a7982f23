"""Work that is not done yet, and what failed until nobody tried it any more: dead letters."""

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from triage.admin import moments
from triage.admin.base import DeskAdmin
from triage.admin.came_of import BEING_DONE, DEAD, WAITING, state_of
from triage.admin.job_subjects import About, subjects
from triage.admin.theme import ChangeList, action, display
from triage.jobs import leases
from triage.jobs.doorbell import ring_after_commit
from triage.jobs.lanes import KINDS
from triage.models import Job


class DeadFilter(admin.EmptyFieldListFilter):
    """Dead letters apart from work that is still to be done."""

    def choices(self, changelist: Any) -> Any:
        words = ("All", "still to do", "dead letters")
        for option, word in zip(super().choices(changelist), words, strict=True):
            yield {**option, "display": word}


class JobList(ChangeList):
    """One page of jobs; what its rows are about is read for all of them together."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = with_subjects(list(self.result_list))


def with_subjects(rows: list[Any]) -> list[Any]:
    about = subjects(rows)
    for row in rows:
        gone = About(f"{row.get_kind_display()} {row.subject}, which is gone")
        row.about_row = about.get((row.kind, row.subject), gone)
    return rows


@admin.register(Job)
class JobAdmin(DeskAdmin):
    """What failed five times stays until somebody sends it again."""

    list_display = [
        "kind",
        "about",
        "ticket",
        "state",
        "attempts",
        "age",
        "next_attempt",
        "last_error",
    ]
    list_filter = [("dead_at", DeadFilter), "kind"]
    search_fields = ["last_error"]
    search_help_text = "Words of the last error"
    ordering = ["created_at", "pk"]
    actions = ["redeliver"]
    actions_detail = ["redeliver_one"]
    fieldsets = [
        (None, {"fields": ["kind", "about", "ticket", "state", "attempts"]}),
        ("When", {"fields": ["created", "next_attempt", "leased", "dead"]}),
        ("Why not", {"fields": ["last_error"]}),
    ]

    class Media:
        js = (moments.SCRIPT,)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[JobList]:
        return JobList

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        row = super().get_object(request, object_id, from_field)
        return with_subjects([row])[0] if row is not None else None

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_redeliver_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("triage.change_job")

    @display(description="About")
    def about(self, job: Any) -> SafeString | str:
        about: About = job.about_row
        if not about.page:
            return about.name
        return format_html('<a class="desk-link" href="{}">{}</a>', about.page, about.name)

    @display(description="Ticket")
    def ticket(self, job: Any) -> SafeString | str:
        ticket = job.about_row.ticket
        if ticket is None:
            return "-"
        link = reverse("admin:triage_ticket_change", args=[ticket.pk])
        return format_html('<a class="desk-link" href="{}">#{}</a>', link, ticket.external_id)

    @display(description="State", label={DEAD: "danger", BEING_DONE: "info", WAITING: "default"})
    def state(self, job: Job) -> str:
        return state_of(job)

    @display(description="Age", ordering="created_at")
    def age(self, job: Job) -> str:
        return moments.age((timezone.now() - job.created_at).total_seconds())

    @display(description="Put")
    def created(self, job: Job) -> SafeString | str:
        return moments.moment(job.created_at)

    @display(description="Next attempt", ordering="next_attempt_at")
    def next_attempt(self, job: Job) -> SafeString | str:
        return "none" if job.dead_at else moments.moment(job.next_attempt_at)

    @display(description="Held by a worker until")
    def leased(self, job: Job) -> SafeString | str:
        return moments.moment(job.lease_until)

    @display(description="Dead letter since")
    def dead(self, job: Job) -> SafeString | str:
        return moments.moment(job.dead_at)

    @action(description="Redeliver dead letters", permissions=["redeliver"])
    def redeliver(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        revived = self._redeliver(request, queryset)
        self.message_user(request, f"{revived} will be tried again.", messages.SUCCESS)

    @action(description="Redeliver", permissions=["redeliver"], url_path="redeliver", icon="replay")
    def redeliver_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        job: Any = self.row(request, object_id)
        if job.dead_at is None:
            return self.back(request, job, "It is no dead letter: workers still try it.")
        if request.method != "POST":
            return self.ask(
                request,
                title=f"Redeliver: {job.get_kind_display()}, {job.about_row.name}",
                text=["It gets all its attempts again.", f"The last error was: {job.last_error}"],
                button="Redeliver",
                row=job,
            )
        self._redeliver(request, Job.objects.filter(pk=job.pk))
        return redirect("admin:triage_job_changelist")

    @transaction.atomic
    def _redeliver(self, request: HttpRequest, queryset: QuerySet[Job]) -> int:
        dead = list(queryset.filter(dead_at__isnull=False))
        revived = leases.redeliver(dead)
        for job in dead:
            self.log_change(request, job, "Redelivered.")
        for lane, kinds in KINDS.items():
            if any(job.kind in kinds for job in dead):
                ring_after_commit(lane)
        return revived
