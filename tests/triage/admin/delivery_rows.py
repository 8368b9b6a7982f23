"""Deliveries that tests of the log ask for, and their pages."""

import hashlib
from itertools import count
from typing import Any

from django.urls import reverse

from tests.conftest import new_ticket
from triage.models import Delivery, Job, Source

LIST = "admin:triage_delivery_changelist"
numbers = count(1)


def new_delivery(source: Source, body: bytes = b"{}", **over: Any) -> Delivery:
    values = {
        "webhook_id": f"msg_{next(numbers)}",
        "body": body,
        "body_sha256": hashlib.sha256(body).hexdigest(),
    }
    return Delivery.objects.create(source=source, **values | over)


def applied(source: Source, **over: Any) -> Delivery:
    """With the version of a ticket that it brought."""
    delivery = new_delivery(source, outcome="applied")
    new_ticket(source, **over).versions.update(delivery=delivery)
    return delivery


def reading(delivery: Delivery, **over: Any) -> Job:
    return Job.objects.create(kind="receive", subject=delivery.pk, **over)


def page_of(delivery: Delivery, page: str = "change") -> str:
    return reverse(f"admin:triage_delivery_{page}", args=[delivery.pk])
