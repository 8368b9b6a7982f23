from django.contrib import admin
from django.urls import include, path
from django.views.i18n import set_language
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

# A page has nothing to say to OPTIONS.
api_docs = SpectacularSwaggerView.as_view(url_name="schema", http_method_names=["get", "head"])

urlpatterns = [
    path("", include("review.urls")),
    path("embed/", include("review.embed.urls")),
    path("", include("triage.health")),
    path("", include("review.telemetry")),
    path("accounts/", include("allauth.urls")),
    path("language/", set_language, name="set_language"),
    path("admin/", admin.site.urls),
    path("api/v1/", include("triage.api.urls")),
    path("api/v1/", include("review.api_urls")),
    path("api/v1/metrics/", include("review.metrics.api")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", api_docs, name="api_docs"),
]

handler400 = "triage.api.errors.bad_request"
handler403 = "triage.api.errors.forbidden"
handler404 = "triage.api.errors.not_found"
handler500 = "triage.api.errors.server_error"
