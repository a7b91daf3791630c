"""Events on their way to whoever registered: at once, in order, in the background, and never a second time.

A test may have them lost, doubled or held: the real server promises none of arrival, once, or order.
"""

import http.client
import json
import queue
import threading
from dataclasses import dataclass
from urllib.parse import urlsplit

from reconciler.embedded.openwebui.state import Row

PATIENCE_SECONDS = 5.0
Due = list[tuple[str, Row]]


@dataclass(frozen=True, slots=True)
class Weather:
    """What happens to events: the next `lose` vanish, the next `double` arrive twice, all wait while `hold`."""

    lose: int = 0
    double: int = 0
    hold: bool = False


class Delivery:
    """Owns one thread, started with the first event."""

    def __init__(self) -> None:
        self._queue: queue.Queue[tuple[str, Row] | None] = queue.Queue()
        self._lock = threading.Lock()
        self._weather = Weather()
        self._held: Due = []
        self._thread: threading.Thread | None = None

    def change(self, weather: Weather) -> None:
        """Held events that are let go come newest first."""
        with self._lock:
            self._weather = weather
            if not weather.hold:
                held, self._held = self._held, []
                self._send(held[::-1])

    def give(self, due: Due) -> None:
        with self._lock:
            for each in due:
                self._meet(each)

    def close(self) -> None:
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._queue.put(None)
            thread.join(PATIENCE_SECONDS)

    def _meet(self, each: tuple[str, Row]) -> None:
        now = self._weather
        if now.lose:
            self._weather = Weather(now.lose - 1, now.double, now.hold)
            return
        copies = 2 if now.double else 1
        self._weather = Weather(0, max(0, now.double - 1), now.hold)
        if now.hold:
            self._held += [each] * copies
        else:
            self._send([each] * copies)

    def _send(self, due: Due) -> None:
        for each in due:
            self._queue.put(each)
        if due and self._thread is None:
            self._thread = threading.Thread(target=self._deliver, name="openwebui-events", daemon=True)
            self._thread.start()

    def _deliver(self) -> None:
        while (each := self._queue.get()) is not None:
            _post(*each)


def _post(url: str, event: Row) -> None:
    """Nobody is told when it fails: the real server forgets, too."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    try:
        connection = connect(parts.hostname or "", parts.port, timeout=PATIENCE_SECONDS)
        try:
            connection.request("POST", path, json.dumps(event), {"Content-Type": "application/json"})
            connection.getresponse().read()
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError):
        return
