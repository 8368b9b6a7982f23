from django.test import Client
from django.db import connection
from django.test.utils import CaptureQueriesContext
import pytest
from tests.review.helpers import *
from tests.review.fullest import make_fullest
pytestmark = pytest.mark.django_db

def test_probe(client: Client) -> None:
    desk = make_desk()
    ticket = make_fullest(desk)
    make_proposal(desk)
    client.force_login(make_technician())
    client.get(f"/tickets/{ticket.pk}/")
    for kw in ({}, {"headers": {"HX-Request": "true"}}):
        with CaptureQueriesContext(connection) as seen:
            r = client.get(f"/tickets/{ticket.pk}/", **kw)
        assert r.status_code == 200
        print(len(seen))
        for q in seen: print("  ", q["time"], q["sql"][:60], "...", q["sql"][q["sql"].find(" FROM "):][:200])
    p = ticket.waiting.proposal
    with CaptureQueriesContext(connection) as seen:
        r = client.post(f"/proposals/{p.pk}/accept", headers={"HX-Request": "true"})
    print(r.status_code, len(seen))
    for q in seen: print("  ", q["time"], q["sql"][:60], "...", q["sql"][q["sql"].find(" FROM "):][:200])
    with CaptureQueriesContext(connection) as seen:
        r = client.get(r.url, headers={"HX-Request": "true"})
    print(r.status_code, len(seen))
