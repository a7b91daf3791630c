"""`python -m reconciler.embedded.openwebui --data DIR --port N`: the stand-in as a process of its own."""

import argparse
import os
import signal
import sys
import threading

from reconciler.embedded.letta.disk import DamagedData
from reconciler.embedded.openwebui.server import serve


def main() -> int:
    """Serve until SIGTERM or Ctrl-C, then save."""
    asked = _parser().parse_args()
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stopped.set())
    try:
        server = serve(asked.data, asked.port, os.environ.get("OPENWEBUI_ADMIN_KEY"))
    except (DamagedData, OSError) as error:
        print(f"cannot serve: {error}", file=sys.stderr)
        return 1
    with server:
        print(f"listening on {server.url}", flush=True)
        stopped.wait()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m reconciler.embedded.openwebui", description=__doc__)
    parser.add_argument("--data", required=True, help="folder to keep the state in")
    parser.add_argument("--port", type=int, default=0, help="0 (the default) takes a free one")
    parser.epilog = "The service account's API key is taken from OPENWEBUI_ADMIN_KEY, where that is set."
    return parser


if __name__ == "__main__":
    sys.exit(main())
