"""Real servers in real directories: each test starts, kills and counts processes."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from config.embedded_keeper import (
    command_line,
    socket_directory,
    start_postgres,
    start_valkey,
    write_state,
)
from tests.config.programs import PATIENCE_SECONDS, Start, are_gone


def test_first_start_gives_working_services_and_private_keys(start: Start, tmp_path: Path) -> None:
    began = time.monotonic()
    program = start(tmp_path / "data")

    assert time.monotonic() - began < 10
    assert program.sql("SHOW server_version_num").startswith("18")
    assert program.sql("SELECT current_database()") == "countersign"
    assert program.sql("SELECT lower('ÄÖ')") == "äö"
    assert program.valkey_answers()
    assert (tmp_path / "data/env.json").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "data/services.json").stat().st_mode & 0o777 == 0o600


def test_valkey_wants_its_password(start: Start, used: Path) -> None:
    program = start(used)

    stranger = redis.Redis.from_url("redis://" + program.urls[1].partition("@")[2])
    with pytest.raises(redis.AuthenticationError), stranger:
        stranger.ping()


def test_rows_and_keys_outlive_a_normal_end(start: Start, used: Path) -> None:
    first = start(used)
    first.sql("CREATE TABLE kept AS SELECT 42 AS answer")
    pids, keys = first.pids(), json.loads((used / "env.json").read_text())

    assert first.end() == (0, "")
    assert not any(command_line(pid) for pid in pids), "the end waits for the services"
    second = start(used)

    assert second.sql("SELECT answer FROM kept") == "42"
    assert json.loads((used / "env.json").read_text()) == keys


def test_a_second_process_attaches_and_may_stay_longer_than_the_first(
    start: Start, used: Path
) -> None:
    first = start(used)
    second = start(used)
    assert second.urls == first.urls
    pids = second.pids()

    assert first.end() == (0, "")
    assert second.sql("SELECT 1") == "1"
    assert second.valkey_answers()

    second.end()
    assert are_gone(pids)


def test_two_directories_have_services_of_their_own(
    start: Start, used: Path, tmp_path: Path
) -> None:
    one, two = start(used), start(tmp_path / "two")
    one.sql("CREATE TABLE only_here ()")

    assert set(one.pids()).isdisjoint(two.pids())
    assert two.sql("SELECT to_regclass('only_here') IS NULL") == "True"
    assert two.valkey_answers()


def test_killing_the_program_ends_its_services_and_keeps_its_rows(start: Start, used: Path) -> None:
    program = start(used, "durable")
    program.sql("CREATE TABLE kept AS SELECT 42 AS answer")
    pids = program.pids()

    program.process.kill()

    assert are_gone(pids)
    assert start(used).sql("SELECT answer FROM kept") == "42"


def test_killing_the_keeper_ends_its_services_and_the_next_start_recovers(
    start: Start, used: Path
) -> None:
    program = start(used, "durable")
    program.sql("CREATE TABLE kept AS SELECT 42 AS answer")
    pids = program.pids()
    sockets = Path(json.loads((used / "services.json").read_text())["sockets"])

    os.kill(pids[0], signal.SIGKILL)

    assert are_gone(pids)
    program.end()
    assert start(used).sql("SELECT answer FROM kept") == "42"
    assert not sockets.exists()


def test_killing_postgres_itself_is_recovered_from(start: Start, used: Path) -> None:
    program = start(used, "durable")
    program.sql("CREATE TABLE kept AS SELECT 42 AS answer")
    pids = program.pids()

    os.kill(pids[-1], signal.SIGKILL)

    assert are_gone(pids)
    program.end()
    assert "postgres ended by itself" in (used / "keeper.log").read_text()
    assert start(used).sql("SELECT answer FROM kept") == "42"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_nothing_running(start: Start, used: Path, number: signal.Signals) -> None:
    program = start(used)
    pids = program.pids()

    os.killpg(program.process.pid, number)

    assert program.process.wait(PATIENCE_SECONDS) == -number
    assert are_gone(pids)


def test_a_deep_data_directory_works(start: Start, tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*(["a directory with a long name"] * 8))
    assert len(str(deep)) > 200

    program = start(deep)

    assert program.sql("SELECT 1") == "1"
    assert program.valkey_answers()


def test_a_pid_that_now_belongs_to_someone_else_is_left_alone(start: Start, used: Path) -> None:
    start(used).end()
    with subprocess.Popen(["sleep", "60"]) as stranger:
        lines = [str(stranger.pid), str(used / "postgres"), "0", "5432", "", "", "0 0", "ready"]
        (used / "postgres/postmaster.pid").write_text("\n".join(lines) + "\n")

        assert start(used).sql("SELECT 1") == "1"

        assert stranger.poll() is None
        stranger.terminate()


def test_servers_that_outlived_their_keeper_are_ended(start: Start, used: Path) -> None:
    start(used).end()
    sockets = socket_directory()
    left = [start_valkey(used), start_postgres(used, sockets, durable=True)]
    urls = {service.name: service.url for service in left}
    write_state(used, {"keeper": 0, "urls": urls, "sockets": str(sockets), "durable": True})

    program = start(used)

    assert program.sql("SELECT 1") == "1"
    assert program.valkey_answers()
    assert [service.process.wait(PATIENCE_SECONDS) for service in left] == [0, 0]
    assert not sockets.exists()


def test_durable_data_is_not_served_by_a_server_that_could_lose_it(
    start: Start, used: Path
) -> None:
    start(used)

    code, said = start(used, "durable").end()

    assert code == 1
    assert "were started without durability" in said


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """A directory that other users reach too, as pytest's own are not."""
    data = Path(tempfile.mkdtemp(prefix="countersign-test-"))
    yield data
    shutil.rmtree(data)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give up being root")
def test_root_drops_to_the_owner_of_the_cluster(open_to_all: Path, start: Start) -> None:
    cluster = open_to_all / "postgres"
    cluster.mkdir()
    os.chown(cluster, 65534, 65534)

    program = start(open_to_all)

    assert program.sql("SELECT 1") == "1"
    assert (cluster / "PG_VERSION").stat().st_uid == 65534
    keeper, *_, postgres = pids = program.pids()
    assert Path(f"/proc/{postgres}").stat().st_uid == 65534
    os.kill(keeper, signal.SIGKILL)
    assert are_gone(pids), "they die with their keeper after the change of user too"
    program.end()
    assert start(open_to_all).sql("SELECT 1") == "1"
