import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.config.programs import Program, Start


@pytest.fixture(scope="module")
def seed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cluster as a first start leaves it, so that not every test makes its own."""
    data = tmp_path_factory.mktemp("seed")
    Program(data).end()
    return data / "postgres"


@pytest.fixture
def used(seed: Path, tmp_path: Path) -> Path:
    """A data directory that was used before."""
    shutil.copytree(seed, tmp_path / "used" / "postgres")
    return tmp_path / "used"


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[Program] = []

    def start_program(data: Path, *arguments: str) -> Program:
        started.append(Program(data, *arguments))
        return started[-1]

    yield start_program
    for program in started:
        if program.process.poll() is None:
            program.end()
        for stream in (program.process.stdin, program.process.stdout, program.process.stderr):
            # A program that was killed cannot take what is still in its pipe.
            with contextlib.suppress(BrokenPipeError):
                if stream:
                    stream.close()
