"""What every real server's process needs: to be found dead, stopped for sure, and tidied up after."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

KEPT_LOGS = 40


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def sweep(runs: Path, logs: Path) -> None:
    """Remove the folders of servers whose owner is gone, and all but the newest logs. Names begin with the owner."""
    for log in sorted(logs.glob("*.log"), key=lambda log: log.stat().st_mtime)[:-KEPT_LOGS]:
        log.unlink(missing_ok=True)
    for folder in runs.glob("*-*"):
        owner = folder.name.partition("-")[0]
        if owner.isdigit() and not is_alive(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)


def tail(path: Path, lines: int = 40) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])


def stop(process: subprocess.Popen[bytes] | None, seconds: float = 10.0) -> None:
    """Ask, wait, then kill its whole group: such a server leads a session of its own."""
    if process is None or process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
