"""Break parts of the service while it works, and count what was lost or doubled.

python -m bench.chaos [--small] [--only NAME ...] [--json FILE]
"""

import argparse
import json
import signal
import sys
from pathlib import Path
from types import FrameType

from bench.chaos import table


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.chaos", description=__doc__)
    parser.add_argument("--small", action="store_true", help="the sizes of the tests")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="names that contain one of these")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there, too")
    parser.add_argument("--list", action="store_true", help="say what there is and run nothing")
    chosen = parser.parse_args()
    checks = [
        check
        for check in table.CHECKS
        if not chosen.only or any(part in check.name for part in chosen.only)
    ]
    if not checks:
        parser.error(f"No check is called so; there are: {', '.join(table.names())}.")
    if chosen.list:
        print("\n".join(check.name for check in checks))
        return 0
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    rows = table.run(checks, small=chosen.small, tell=lambda row: print(row.line(), flush=True))
    failed = [row for row in rows if not row.passed]
    print(f"{len(rows) - len(failed)} of {len(rows)} passed.")
    if chosen.json:
        chosen.json.write_text(json.dumps([row.record() for row in rows], indent=2))
    return 1 if failed else 0


def _leave(number: int, _: FrameType | None) -> None:
    """Through the ends of all `with` blocks."""
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
