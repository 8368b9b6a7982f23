"""The Celery application. PostgreSQL leads; the broker only rings the bell."""

import gc
import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("countersign")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# A batch makes and drops thousands of objects, few of them in circles. At Python's thresholds of
# 700, 10 and 10 looking for these costs a tenth of the work; at these, next to nothing.
gc.set_threshold(50_000, 20, 50)
