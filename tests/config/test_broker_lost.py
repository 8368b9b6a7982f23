"""The worker outlives a broker that goes away while messages are unacknowledged."""

from typing import Any

import pytest
from celery import current_app
from redis.exceptions import ConnectionError as BrokerGone


def test_a_message_acknowledged_too_late_fails_as_a_lost_connection_does() -> None:
    with current_app.connection_for_write() as connection:
        channel: Any = connection.channel()
        channel.queue_declare("nobody-listens", auto_delete=True)
        kept, channel.connection = channel.connection, None
        channel._disconnect_pools()
        try:
            with pytest.raises(BrokerGone, match="is closed"):
                channel.qos.ack("a tag that was never given")
        finally:
            channel.connection = kept
        assert issubclass(BrokerGone, connection.connection_errors)
