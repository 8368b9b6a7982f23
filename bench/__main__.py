"""The ratios of `make bench`: this service against what it stands on, side by side in one run."""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

from bench.parts import PartFailed
from bench.speed import machine, table, texts
from bench.speed.rows import Row
from bench.speed.setting import FULL, QUICK, BenchFailed, Setting, Sizes
from bench.stack import Stack
from bench.world import new_desk

RESULTS = Path(__file__).with_name("results.json")
LEAST_ROUNDS = 3


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measures speed and cost as ratios: both sides in one run, round by round in "
        "turn, because only such ratios hold on another machine or a busy one. Starts services of "
        "its own and ends them. A ratio is ours divided by the other side's.",
        epilog=f"Comparisons: {', '.join(table.NAMES)}. The texts are public IT tickets where "
        "TRIAGE_DATA_DIR (or ../shared/data) has them, else the demo's.",
    )
    parser.add_argument("--rounds", type=int, default=LEAST_ROUNDS, help="default 3")
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="NAME", choices=table.NAMES, help="make only these"
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="small sizes: shows that the bench itself works; its figures mean nothing",
    )
    parser.add_argument("--json", type=Path, default=RESULTS, help=f"default {RESULTS.name} here")
    chosen = parser.parse_args()
    if chosen.rounds < 1:
        parser.error("--rounds must be at least 1.")
    return chosen


def main() -> int:
    chosen = arguments()
    sizes: Sizes = QUICK if chosen.quick else FULL
    found: list[Row] = []
    with Stack() as stack:
        stack.up("postgres", "valkey")
        facts = machine.described()
        say_machine(facts)
        desk = new_desk()
        print("Teaching a model.", file=sys.stderr, flush=True)
        corpus, model = texts.prepare(desk, labels=sizes.labels)
        print(f"texts: {corpus.name}\n", flush=True)
        setting = Setting(stack, desk, model, corpus, sizes, chosen.rounds)
        try:
            for row in table.measured(setting, chosen.only):
                found.append(row)
                print("\n".join(row.lines()), flush=True)
        except (BenchFailed, PartFailed) as error:
            print(f"The bench stopped: {error}", file=sys.stderr)
            return 1
        finally:
            write(chosen.json, found, facts | {"texts": corpus.name}, quick=chosen.quick)
    return 0


def say_machine(facts: Mapping[str, str]) -> None:
    print("; ".join(f"{name} {value}" for name, value in facts.items()))


def write(path: Path, found: list[Row], facts: Mapping[str, str], *, quick: bool) -> None:
    told = [row.figures() | {"quick": quick, "machine": dict(facts)} for row in found]
    path.write_text(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
