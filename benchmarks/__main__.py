"""`python -m benchmarks [ROW …]`: one table of what was measured beside what was aimed at. See docs/benchmarks.md."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import alone, live, web
from benchmarks.table import Line, as_json, rendered

ROWS = (*live.ROWS, *web.ROWS, "alone")
MANY, FEW = 10_000, 1_000


def say(what: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {what}", file=sys.stderr, flush=True)


def measured(folder: Path, wanted: Sequence[str], quick: bool) -> list[Line]:
    lines: list[Line] = []
    if set(wanted) & set(live.ROWS):
        lines += live.measured(folder, live.QUICK if quick else live.FULL, wanted, say)
    if set(wanted) & set(web.ROWS):
        lines += web.measured(folder, web.QUICK if quick else web.FULL, wanted, say)
    if "alone" in wanted:
        lines += alone.measured(folder, FEW if quick else MANY, say)
    return lines


def tell(lines: Sequence[Line], minutes: float, quick: bool, file: Path | None) -> None:
    busy = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load {busy:.1f} at the end, {minutes:.1f} minutes\n\n{rendered(lines)}", flush=True)
    if file:
        file.write_text(json.dumps({"quick": quick, "load": busy, "lines": as_json(lines)}, indent=1))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"which to measure (default: all): {', '.join(ROWS)}")
    parser.add_argument("--quick", action="store_true", help="100 learners and fewer turns, for development")
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.rows) - set(ROWS):
        parser.error(f"no such row: {', '.join(sorted(unknown))}")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="reconciler-bench-") as folder:
        lines = measured(Path(folder), chosen.rows or ROWS, chosen.quick)
        tell(lines, (time.monotonic() - began) / 60, chosen.quick, chosen.json)
        say("tidying up")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
