"""A database of tests that commit, as it was before them."""

import time

from django.conf import settings
from django.db import OperationalError, connection, transaction
from redis import Redis

# Rows that migrations made, and the roles: tests begin with those.
KEPT = {
    "django_migrations",
    "django_content_type",
    "auth_permission",
    "auth_group",
    "auth_group_permissions",
}
EMPTIED_AT_MOST = 5


def emptied() -> bool:
    """Remove all rows that tests do not begin with; False where the database's user may not.

    Again where a browser's last requests are still being answered and lock rows in another order.
    """
    for attempt in range(1, EMPTIED_AT_MOST + 1):
        try:
            return _emptied()
        except OperationalError:
            if attempt == EMPTIED_AT_MOST:
                raise
            time.sleep(0.2 * attempt)
    return False


def _emptied() -> bool:
    """Without triggers: the ledger's refuse it, and others note what has gone."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        if cursor.fetchone() != (True,):
            return False
        tables = sorted(set(connection.introspection.table_names(cursor)) - KEPT)
        quoted = {table: connection.ops.quote_name(table) for table in tables}
        cursor.execute(
            " UNION ALL ".join(
                f"SELECT '{table}' WHERE EXISTS (SELECT FROM {name})"
                for table, name in quoted.items()
            )
        )
        filled = [table for (table,) in cursor.fetchall()]
        cursor.execute("SET LOCAL session_replication_role = replica")
        for table in filled:
            cursor.execute(f"DELETE FROM {quoted[table]}")
    return True


def forget_cached() -> None:
    """What this process's tests have in the cache; `cache.clear` would take the others' as well."""
    server = Redis.from_url(settings.REDIS_URL)
    for kept in settings.CACHES.values():
        for key in server.scan_iter(f"{kept['KEY_PREFIX']}:*"):
            server.delete(key)
    server.close()
