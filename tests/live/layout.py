"""Where a real server's files live: the cached install, PostgreSQL's home, the logs.

Nothing here creates or starts anything.
"""

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

LETTA_VERSION = "0.16.8"
PGSERVER_VERSION = "0.1.4"
OPENWEBUI_VERSION = "0.12.4"
PINS = Path(__file__).parent / "pins" / f"letta-{LETTA_VERSION}.requirements.txt"
OPENWEBUI_PINS = Path(__file__).parent / "pins" / f"openwebui-{OPENWEBUI_VERSION}-slim.requirements.txt"


def cache_home() -> Path:
    """The folder for every cached server, shared by all checkouts of one person."""
    if chosen := os.environ.get("RECONCILER_LIVE_CACHE"):
        return Path(chosen).absolute()
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base).absolute() / "reconciler-live"


def is_reachable_by_others(path: Path) -> bool:
    """Whether an unprivileged user can walk down to `path`, as far as it exists."""
    existing = (folder for folder in (path, *path.parents) if folder.exists())
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in existing)


@dataclass(frozen=True)
class LettaHome:
    """One installed Letta."""

    root: Path

    @property
    def python(self) -> Path:
        return self.root / "venv" / "bin" / "python"

    @property
    def letta(self) -> Path:
        return self.root / "venv" / "bin" / "letta"

    @property
    def migrations(self) -> Path:
        return self.root / "migrations"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def stamp(self) -> Path:
        """Written last: it holds what was installed, so a change of pins installs again."""
        return self.root / "installed"

    @property
    def postgres(self) -> Path:
        """PostgreSQL refuses to run as root, so root's private cache is out of its reach."""
        inside = self.root / "postgres"
        if os.geteuid() != 0 or is_reachable_by_others(self.root):
            return inside
        digest = hashlib.sha256(str(self.root).encode()).hexdigest()[:8]
        return Path("/var/cache/reconciler-live") / f"{self.root.name}-{digest}"


def letta_home() -> LettaHome:
    return LettaHome(cache_home() / f"letta-{LETTA_VERSION}")


@dataclass(frozen=True)
class OpenWebUIHome:
    """One installed Open WebUI, without the packages that only retrieval and speech need."""

    root: Path

    @property
    def python(self) -> Path:
        return self.root / "venv" / "bin" / "python"

    @property
    def program(self) -> Path:
        return self.root / "venv" / "bin" / "open-webui"

    @property
    def template(self) -> Path:
        """The data folder of a server that has just been set up, to be copied by each server."""
        return self.root / "template"

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def stamp(self) -> Path:
        """Written last: it holds what was installed, so a change of pins installs again."""
        return self.root / "installed"


def openwebui_home() -> OpenWebUIHome:
    return OpenWebUIHome(cache_home() / f"openwebui-{OPENWEBUI_VERSION}")
