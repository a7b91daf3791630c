"""`python -m reconciler.demo [FOLDER]`: make the workspace, tell the story in it, and leave it to look at."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from reconciler.demo.shell import Unexpected, forget_environment
from reconciler.demo.stage import clear, example_courses
from reconciler.demo.story import tell
from reconciler.errors import ReconcilerError

CHECKOUT = Path(__file__).resolve().parents[2]


def main() -> int:
    """0 only if every step did what the story says."""
    parser = argparse.ArgumentParser(prog="python -m reconciler.demo", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=CHECKOUT / ".run" / "workspace")
    folder: Path = parser.parse_args().folder.absolute()
    try:
        forget_environment()
        courses = example_courses(CHECKOUT)
        clear(folder)
        tell(folder, courses)
    except (ReconcilerError, Unexpected) as error:
        print(f"\nthe demo stopped: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
