"""What a browser is told of a panel: who may frame it, and that nothing is kept or passed on."""

from csp.constants import HEADER, NONE, SELF
from csp.utils import build_policy
from django.http import HttpResponse
from django.utils.cache import patch_vary_headers

from triage.models import Source
from triage.origins import usable

PERMISSIONS = ", ".join(
    f"{name}=()"
    for name in (
        "camera",
        "clipboard-read",
        "display-capture",
        "geolocation",
        "microphone",
        "payment",
        "usb",
    )
)


def guard(response: HttpResponse, source: Source | None) -> HttpResponse:
    """Framed by the source's origins and by nobody else; X-Frame-Options knows no such list."""
    policy = {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": (usable(source.embed_origins) if source else []) or [NONE],
    }
    response.headers[HEADER] = build_policy(config=policy)
    response.xframe_options_exempt = True
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Permissions-Policy"] = PERMISSIONS
    # A frame is no subresource; as one, from another site, the panel is never loaded.
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    # The address of a refused decision is not a page one could come back to.
    response.headers["HX-Push-Url"] = "false"
    patch_vary_headers(response, ["HX-Request"])
    return response
