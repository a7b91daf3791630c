"""How much memory a process takes at most: children that do one thing and say their peak.

`python -m benchmarks.footprint live URL WORKSPACE`, or `alone WORKSPACE`.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from benchmarks.still import StillRemote, still_learners
from reconciler.bootstrap import SystemClock
from reconciler.policy import Policy
from reconciler.ports import Remote
from reconciler.remotes.letta import LettaRemote
from reconciler.store.workspace import GitWorkspace
from reconciler.sync.engine import Engine

PASSES = 3


def peak_of_child(*arguments: str) -> float:
    """Megabytes. The child is asked itself, as a parent's own peak would be passed on through `ru_maxrss`."""
    command = [sys.executable, "-m", "benchmarks.footprint", *arguments]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def peak() -> float:
    """The most that was resident in this process so far, in megabytes."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) * 1024 / 1e6


def main(arguments: list[str]) -> None:
    workspace = GitWorkspace(Path(arguments[-1]))
    remote: Remote
    if arguments[0] == "live":
        remote = LettaRemote(arguments[1], "", workspace.uuid, now=SystemClock().now)
    else:
        remote = StillRemote(still_learners(workspace))
    engine = Engine(workspace, [remote], SystemClock(), Policy(grace_seconds=0))
    for _ in range(PASSES):
        report = engine.run(apply=True)
        assert (report.exit_code, report.writes) == (0, 0), report
    print(peak())


if __name__ == "__main__":
    main(sys.argv[1:])
