"""A Django site with one view: verify an HMAC, parse the JSON, create one row, answer 202.

No middleware, no transaction around the row, a connection that stays open and is not checked.
It stands by itself: run by a WSGI server in a directory that holds `bare_site.json` with the
keys `database` (a URL) and `secret` (as the requests are signed with, in base64).
"""

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any, ClassVar

import dj_database_url
from django.conf import settings

TOLD: dict[str, str] = json.loads(Path("bare_site.json").read_text())

settings.configure(
    SECRET_KEY=TOLD["secret"],
    ALLOWED_HOSTS=["127.0.0.1"],
    DATABASES={"default": dj_database_url.parse(TOLD["database"], conn_max_age=None)},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    MIDDLEWARE=[],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
)

# Django's models and handlers want the settings to be there.
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import models  # noqa: E402
from django.http import HttpRequest, HttpResponse, JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402

KEY = base64.b64decode(TOLD["secret"])

application = get_wsgi_application()


class Row(models.Model):
    webhook_id = models.CharField(max_length=64)
    body = models.BinaryField()
    received_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager["Row"]] = models.Manager()

    class Meta:
        app_label = "bare"
        db_table = "bench_bare"

    def __str__(self) -> str:
        return self.webhook_id


def deliver(request: HttpRequest, slug: str) -> HttpResponse:
    webhook_id = request.headers["webhook-id"]
    signed = f"{webhook_id}.{request.headers['webhook-timestamp']}.".encode() + request.body
    right = base64.b64encode(hmac.digest(KEY, signed, hashlib.sha256)).decode()
    if not hmac.compare_digest(f"v1,{right}", request.headers["webhook-signature"]):
        return JsonResponse({"detail": "not signed"}, status=401)
    message: dict[str, Any] = json.loads(request.body)
    if "data" not in message:
        return JsonResponse({"detail": "no data"}, status=400)
    row = Row.objects.create(webhook_id=webhook_id, body=request.body)
    answer = JsonResponse({"delivery": row.pk}, status=202)
    # Otherwise the server sends it in chunks; Django has a middleware for this.
    answer["Content-Length"] = str(len(answer.content))
    return answer


urlpatterns = [path("api/v1/sources/<slug:slug>/webhook", deliver)]
