"""The delivery log: what helpdesks sent, byte for byte, what came of it, and reading it again."""

import hashlib
import json
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Length
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from triage.admin import moments
from triage.admin.base import RecordAdmin
from triage.admin.came_of import COLOURS, CameOf, came_of, state_of
from triage.admin.delivery_search import OutcomeFilter, ReceivedFilter, found
from triage.admin.theme import ChangeList, action, display
from triage.intake.redelivery import redeliver
from triage.models import Delivery

SHOWN_CHARACTERS = 20_000
MOST_AT_ONCE = 500
LONGEST_SHOWN_ID = 40


class DeliveryList(ChangeList):
    """One page of the log; what came of its rows is read for all of them together."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows = list(self.result_list)
        came = came_of(rows)
        for row in rows:
            row.came_of = came[row.pk]
        self.result_list = rows


@admin.register(Delivery)
class DeliveryAdmin(RecordAdmin):
    list_display = [
        "id_shown",
        "source",
        "received",
        "state",
        "ticket",
        "size",
        "explanation",
    ]
    sortable_by = ()
    list_filter = [OutcomeFilter, ("received_at", ReceivedFilter), "source"]
    list_select_related = ["source"]
    list_disable_select_all = True
    show_facets = admin.ShowFacets.NEVER
    search_fields = ["webhook_id"]
    search_help_text = "Whole webhook id, number of the delivery, or number of the ticket"
    ordering = ["-received_at", "-pk"]
    actions = ["redeliver_chosen"]
    actions_detail = ["redeliver_one", "download"]
    change_form_outer_after_template = "triage/admin/delivery.html"
    fieldsets = [
        (None, {"fields": ["source", "webhook_id", "received", "state", "meaning", "explanation"]})
    ]

    class Media:
        js = (moments.SCRIPT,)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[DeliveryList]:
        return DeliveryList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        """Lists know how long the bodies are, without reading them."""
        rows: QuerySet[Delivery] = super().get_queryset(request).annotate(bytes=Length("body"))
        is_page = request.resolver_match is not None and request.resolver_match.kwargs
        return rows if is_page else rows.defer("body")

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            row.came_of = came_of([row])[row.pk]
        return row

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Delivery], search_term: str
    ) -> tuple[QuerySet[Delivery], bool]:
        return (found(queryset, search_term) if search_term.strip() else queryset), False

    def has_redeliver_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("triage.change_job")

    @display(description="Webhook id")
    def id_shown(self, delivery: Delivery) -> str:
        """An id that is a digest says as much by its beginning."""
        whole = delivery.webhook_id
        return whole if len(whole) <= LONGEST_SHOWN_ID else f"{whole[:16]}…"

    @display(description="Received")
    def received(self, delivery: Delivery) -> SafeString | str:
        return moments.moment(delivery.received_at)

    @display(description="Outcome", label=COLOURS)
    def state(self, delivery: Any) -> str:
        came: CameOf = delivery.came_of
        return came.state(delivery)

    @display(description="Which means")
    def meaning(self, delivery: Any) -> str:
        if delivery.erased_at is not None:
            return "What it held was erased."
        if delivery.came_of.is_dead:
            return "Failed every time it was tried; nobody tries it again until it is redelivered."
        return delivery.get_outcome_display() or "No worker has read it yet."

    @display(description="Ticket")
    def ticket(self, delivery: Any) -> SafeString | str:
        ticket = delivery.came_of.ticket
        if ticket is None:
            return "-"
        link = reverse("admin:triage_ticket_change", args=[ticket.pk])
        return format_html('<a class="desk-link" href="{}">#{}</a>', link, ticket.external_id)

    @display(description="Size")
    def size(self, delivery: Any) -> str:
        return filesizeformat(delivery.bytes)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        row = self.get_object(request, object_id) if object_id else None
        context = page_context(row) if row is not None else {}
        return super().changeform_view(
            request, object_id, form_url, {**context, **(extra_context or {})}
        )

    @action(
        description="Redeliver",
        permissions=["redeliver"],
        url_path="redeliver",
        icon="replay",
    )
    def redeliver_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row: Delivery = self.row(request, object_id)
        if request.method != "POST":
            return self.ask(
                request, title=f"Redeliver {row}", text=WHAT_IT_DOES, button="Redeliver", row=row
            )
        self._redeliver(request, [row])
        return self.back(request, row, "It will be read again in a moment.")

    @action(description="Redeliver", permissions=["redeliver"])
    def redeliver_chosen(
        self, request: HttpRequest, queryset: QuerySet[Delivery]
    ) -> HttpResponse | None:
        """One at once; several after a question, which names them, so that none joins meanwhile."""
        rows = list(queryset.order_by("-pk")[: MOST_AT_ONCE + 1])
        if len(rows) > MOST_AT_ONCE:
            said = f"At most {MOST_AT_ONCE} at once; choose fewer."
            self.message_user(request, said, messages.ERROR)
            return None
        if len(rows) > 1 and "sure" not in request.POST:
            return self.ask(
                request,
                title=f"Redeliver {len(rows)} deliveries",
                text=WHAT_IT_DOES,
                button=f"Redeliver {len(rows)}",
                kept=[
                    ("action", "redeliver_chosen"),
                    ("sure", "yes"),
                    *[("_selected_action", row.pk) for row in rows],
                ],
            )
        self._redeliver(request, rows)
        said = "1 delivery" if len(rows) == 1 else f"{len(rows)} deliveries"
        self.message_user(request, f"{said} will be read again in a moment.", messages.SUCCESS)
        return None

    @transaction.atomic
    def _redeliver(self, request: HttpRequest, rows: list[Delivery]) -> None:
        redeliver([row.pk for row in rows])
        for row in rows:
            self.log_change(request, row, "Redelivered.")

    @action(
        description="Download the bytes", permissions=["view"], url_path="body", icon="download"
    )
    def download(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Never shown by the browser: what it holds comes from outside."""
        row: Delivery = self.row(request, object_id)
        return HttpResponse(
            bytes(row.body),
            content_type="application/octet-stream",
            headers={"Content-Disposition": f'attachment; filename="delivery-{row.pk}.json"'},
        )


WHAT_IT_DOES = [
    "It is read again from the bytes that are stored; nothing is asked of the helpdesk.",
    "What was read before changes nothing: no ticket version, event or proposal comes twice. "
    "Triage of its ticket that became a dead letter is tried again, too.",
]


def page_context(delivery: Delivery) -> dict[str, Any]:
    """What the page shows below the fields: the body as text and as JSON, and its digest."""
    body = bytes(delivery.body)
    came: CameOf = delivery.came_of  # type: ignore[attr-defined]  # set by get_object
    jobs = [("Reading it", came.reading, bool(delivery.outcome))]
    if came.version is not None:
        jobs.append(("Triage of that version", came.triage, True))
    return {
        "came": came,
        "jobs": [(name, job, job and state_of(job), done) for name, job, done in jobs],
        "delivery": delivery,
        "body_bytes": len(body),
        "is_intact": delivery.erased_at is not None
        or hashlib.sha256(body).hexdigest() == delivery.body_sha256,
        "raw": shortened(body.decode(errors="replace")),
        "pretty": shortened(pretty(body)),
    }


def pretty(body: bytes) -> str:
    """Empty for what is not JSON; what cannot be sent as UTF-8 is shown as a question mark."""
    try:
        text = json.dumps(json.loads(body), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return ""
    return text.encode(errors="replace").decode()


def shortened(text: str) -> str:
    if len(text) <= SHOWN_CHARACTERS:
        return text
    return (
        f"{text[:SHOWN_CHARACTERS]}\n… the first {SHOWN_CHARACTERS:,} of {len(text):,} characters"
    )
