"""The Celery application. PostgreSQL leads; the broker only rings the bell."""

import gc
import os
from typing import Any

from celery import Celery
from kombu.transport.redis import Channel
from redis.exceptions import ConnectionError as BrokerGone

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("countersign")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# A batch makes and drops thousands of objects, few of them in circles. At Python's thresholds of
# 700, 10 and 10 looking for these costs a tenth of the work; at these, next to nothing.
gc.set_threshold(50_000, 20, 50)

# Its stubs know nothing of what is inside.
_channels: Any = Channel
_parameters = _channels._connparams


def _parameters_if_connected(channel: Any, asynchronous: bool = False) -> dict[str, Any]:
    """What kombu 5.7 asks before it speaks to the broker, which may be gone by then.

    A message that is acknowledged or given back after its connection was lost then fails as every
    caller expects; kombu's own AttributeError would end the worker.
    """
    if channel.connection is None or channel.connection.client is None:
        raise BrokerGone("The connection to the broker is closed.")
    found: dict[str, Any] = _parameters(channel, asynchronous)
    return found


_channels._connparams = _parameters_if_connected
