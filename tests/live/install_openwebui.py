"""Install a real Open WebUI: its own venv, exactly the pinned packages, nothing else downloaded."""

import hashlib
import shutil
import time

from tests.live import steps
from tests.live.layout import OPENWEBUI_PINS, OPENWEBUI_VERSION, OpenWebUIHome, openwebui_home

LAYOUT = "1"  # raise it when what is installed changes in a way that the pins do not show


def expected_stamp() -> str:
    pins = hashlib.sha256(OPENWEBUI_PINS.read_bytes()).hexdigest()
    return f"open-webui {OPENWEBUI_VERSION}, pins {pins}, layout {LAYOUT}\n"


def is_openwebui_installed(home: OpenWebUIHome) -> bool:
    return home.stamp.is_file() and home.stamp.read_text() == expected_stamp()


def ensure_openwebui() -> OpenWebUIHome:
    """The installed Open WebUI, installing it first if need be."""
    home = openwebui_home()
    with steps.locked(home.root.with_name(f"{home.root.name}.lock")):
        if is_openwebui_installed(home):
            return home
        began = time.monotonic()
        steps.say(f"installing Open WebUI {OPENWEBUI_VERSION} into {home.root}")
        home.root.mkdir(parents=True, exist_ok=True)
        home.stamp.unlink(missing_ok=True)
        shutil.rmtree(home.template, ignore_errors=True)
        steps.fresh_venv(home.root / "venv")
        steps.say("installing the pinned packages (a minute or two)")
        steps.pip(home.python, home.root, "install", "--quiet", "--no-deps", "-r", str(OPENWEBUI_PINS))
        home.stamp.write_text(expected_stamp())
        steps.say(f"installed in {time.monotonic() - began:.0f} s")
        return home
