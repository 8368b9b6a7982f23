"""Acknowledged deliveries a second, against a bare Django view and against the database alone."""

import json
import re
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import redis
from django.conf import settings
from django.db import connection

from bench import load
from bench.parts import Part
from bench.speed import backlog
from bench.speed.client import Order
from bench.speed.rows import Pair, Row
from bench.speed.setting import PEERS, BenchFailed, Setting, run_peer
from config import embedded_keeper

CLIENT = Path(__file__).with_name("client.py")
CONNECTIONS = 8
STORED = 202
TPS = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)
# It commits faster, and each side should take about as long.
PGBENCH_TIMES = 6
SAMPLE = 500
BARE, PGBENCH = "intake_vs_bare_django", "intake_vs_pgbench"
COMPARED = {
    BARE: "deliveries answered 202, 8 keep-alive clients, against a bare Django view (HMAC, JSON, "
    "one ORM create) on the same server and database",
    PGBENCH: "deliveries answered 202, 8 keep-alive clients, against pgbench: one INSERT and "
    "its commit, 8 clients",
}
NAMES = tuple(COMPARED)


def rows(setting: Setting, names: Sequence[str]) -> list[Row]:
    """Both sides answer 202 to the same requests; no worker runs meanwhile."""
    _only_web(setting)
    bare = _bare_site(setting) if BARE in names else None
    pairs: dict[str, list[Pair]] = {name: [] for name in names}
    notes: list[str] = []
    try:
        for number in range(1, setting.rounds + 1):
            setting.tell(f"intake, round {number} of {setting.rounds}")
            requests = written(setting, setting.sizes.intake_warm + setting.sizes.intake)
            ours, note = _ours(setting, requests)
            notes.append(note)
            if bare is not None:
                pairs[BARE].append(Pair(ours, _rate(setting, requests, bare.part, bare.port)))
            if PGBENCH in names:
                pairs[PGBENCH].append(Pair(ours, _pgbench(setting)))
            forget()
    finally:
        if bare is not None:
            bare.part.stop()
    return [Row(name, COMPARED[name], "a second", pairs[name], notes=notes) for name in names]


def _only_web(setting: Setting) -> None:
    setting.stack.sweeper.stop()
    setting.stack.worker.stop()
    setting.stack.up("postgres", "valkey", "web")


# --- Ours and the bare view -----------------------------------------------------------------


def written(setting: Setting, count: int) -> Path:
    """A file of signed requests about new tickets; signatures are good for 300 seconds."""
    path = setting.stack.folder / "requests.bin"
    target = f"/api/v1/sources/{setting.desk.source.slug}/webhook"
    with path.open("wb") as out:
        for name, body in backlog.messages(setting, count):
            headers = load.signed(body, webhook_id=name, secret=setting.desk.secret)
            told = "".join(f"{key}: {value}\r\n" for key, value in headers.items())
            request = (
                f"POST {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                f"{told}Content-Length: {len(body)}\r\n\r\n"
            ).encode() + body
            out.write(len(request).to_bytes(4, "big") + request)
    return path


def sent(setting: Setting, order: Order) -> dict[str, Any]:
    """What the load generator says of a run in which everything was answered 202."""
    said: dict[str, Any] = run_peer(CLIENT, order=asdict(order), folder=setting.stack.folder)
    if said["statuses"] != {str(STORED): order.count}:
        raise BenchFailed(f"Of {order.count} requests: {said['statuses']}, not all {STORED}.")
    return said


def _rate(setting: Setting, requests: Path, server: Part, port: int) -> float:
    return setting.sizes.intake / float(_warm_and_sent(setting, requests, server, port)["seconds"])


def _warm_and_sent(setting: Setting, requests: Path, server: Part, port: int) -> dict[str, Any]:
    warm, count = setting.sizes.intake_warm, setting.sizes.intake
    sent(setting, Order(port, server.pid, CONNECTIONS, str(requests), 0, warm))
    return sent(setting, Order(port, server.pid, CONNECTIONS, str(requests), warm, count))


def _ours(setting: Setting, requests: Path) -> tuple[float, str]:
    """The rate, and a line on how the connections and the processors were shared."""
    before = backlog.cpu_by_part(setting)
    said = _warm_and_sent(setting, requests, setting.stack.web, web_port(setting))
    after = backlog.cpu_by_part(setting)
    count = setting.sizes.intake
    each = 1000 / (count + setting.sizes.intake_warm)
    used = ", ".join(f"{name} {each * (after[name] - before[name]):.2f}" for name in after)
    return count / float(said["seconds"]), (
        f"ours: connections by process {said['per_process'] or 'unknown'}; processor ms a "
        f"delivery: {used}, client {1000 * said['cpu_seconds'] / count:.2f}"
    )


def web_port(setting: Setting) -> int:
    return int(setting.stack.url.rpartition(":")[2])


def forget() -> None:
    """The deliveries, and the bells that rang for them while nobody listened."""
    backlog.clear()
    # The queue alone: who publishes to it does not declare it again.
    redis.Redis.from_url(settings.REDIS_URL).delete(settings.CELERY_TASK_DEFAULT_QUEUE)


# --- The peers ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Site:
    part: Part
    port: int


def _bare_site(setting: Setting) -> Site:
    """The bare view, with the very server settings that ours has."""
    told = setting.stack.folder / "bare_site.json"
    told.touch(mode=0o600)
    secret = setting.desk.secret.removeprefix("whsec_")
    told.write_text(json.dumps({"database": settings.DATABASE_URL, "secret": secret}))
    _table("bench_bare", "received_at timestamptz NOT NULL")
    command = Path(f"/proc/{setting.stack.web.pid}/cmdline").read_text().rstrip("\0").split("\0")
    port = embedded_keeper.free_port()
    command[command.index("--port") + 1] = str(port)
    command[-1:] = ["--working-dir", str(PEERS), "bare_site:application"]
    part = setting.part("bare_site", command, says="Started worker-2")
    part.start()
    part.wait_ready()
    return Site(part, port)


def _pgbench(setting: Setting) -> float:
    """Committed single rows a second, each as large as a delivery of ours."""
    _table("bench_rows", "received_at timestamptz NOT NULL DEFAULT now()")
    size = round(mean(len(body) for _, body in backlog.messages(setting, SAMPLE)))
    script = setting.stack.folder / "pgbench.sql"
    script.write_text(
        f"INSERT INTO bench_rows (webhook_id, body) VALUES ('bench', '{'x' * size}');\n"
    )
    server = {key: str(value) for key, value in settings.DATABASES["default"].items()}
    each = setting.sizes.intake * PGBENCH_TIMES // CONNECTIONS
    done = subprocess.run(
        [
            embedded_keeper.postgres_program("pgbench"),
            *("--no-vacuum", "--client", str(CONNECTIONS), "--jobs", "2"),
            *("--transactions", str(each), "--file", str(script)),
            *("--host", server["HOST"], "--username", server["USER"], server["NAME"]),
        ],
        capture_output=True,
        text=True,
        cwd=setting.stack.folder,
    )
    said = TPS.search(done.stdout)
    if done.returncode != 0 or said is None:
        raise BenchFailed(f"pgbench ended with {done.returncode}: {done.stderr[-1000:]}")
    return float(said.group(1))


def _table(name: str, last_column: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {name}")
        cursor.execute(
            f"CREATE TABLE {name} (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, "
            f"webhook_id varchar(64) NOT NULL, body bytea NOT NULL, {last_column})"
        )
