"""The machine that figures are from, and how much memory a piece of work takes on it."""

from __future__ import annotations

import os
import platform
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sklearn

from triage.learning import semantic

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_MIB_KIB = 1024


def described() -> dict[str, str]:
    """Facts by name, in the order to print them."""
    return {
        "cores": str(os.cpu_count()),
        "processor": _processor(),
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        "scikit-learn": sklearn.__version__,
        "onnxruntime": semantic.onnxruntime.__version__ if semantic.onnxruntime else "none",
    }


@dataclass
class Peak:
    """`mb`: the most memory that this process held meanwhile, in MiB, libraries and data included.

    Where the system keeps no such mark that can be set back: the most since the process began.
    """

    mb: float = 0.0


@contextmanager
def peak() -> Iterator[Peak]:
    found = Peak()
    if _RESET.exists():
        # 5 sets the mark back to what is held now.
        _RESET.write_text("5")
    yield found
    found.mb = _high_water_mib()


def _high_water_mib() -> float:
    if _STATUS.exists():
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / _MIB_KIB
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / _MIB_KIB / (_MIB_KIB if sys.platform == "darwin" else 1)


def _processor() -> str:
    told = Path("/proc/cpuinfo")
    if told.exists():
        for line in told.read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()
