"""A person at a real Open WebUI: headless Chromium, logged in as one account.

The browser is the system's own, its profile new and empty, and it talks to nobody but the server under test.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, sync_playwright

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS = 30_000

# Selects a stretch of the note's text, which the editor may have split over many coloured spans.
_SELECT = """([text, from]) => {
    const root = document.querySelector('.ProseMirror');
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    const nodes = [];
    let whole = '';
    for (let node; (node = walker.nextNode());) { nodes.push([whole.length, node]); whole += node.data; }
    const start = whole.indexOf(text) + from, end = whole.indexOf(text) + text.length;
    if (whole.indexOf(text) < 0) throw new Error('not in the note: ' + text + '\\n' + whole);
    const at = (offset) => {
        const [begin, node] = nodes.filter(([begin]) => begin <= offset && (begin < offset || offset === start)).pop();
        return [node, offset - begin];
    };
    root.focus();
    const range = document.createRange();
    range.setStart(...at(start));
    range.setEnd(...at(end));
    getSelection().removeAllRanges();
    getSelection().addRange(range);
}"""


def chromium() -> str | None:
    """The system's browser, or `None` where there is none."""
    return os.environ.get("RECONCILER_CHROMIUM") or shutil.which("chromium")


@contextmanager
def browser() -> Generator[BrowserContext, None, None]:
    """One person's browser, closed and forgotten afterwards."""
    with tempfile.TemporaryDirectory() as profile, sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=chromium(),
            headless=True,
            args=[*FLAGS],
            viewport={"width": 1280, "height": 900},
        )
        context.set_default_timeout(PATIENCE_MS)
        try:
            yield context
        finally:
            context.close()


class Visit:
    """A page of one server, seen by the holder of one token."""

    def __init__(self, context: BrowserContext, url: str, token: str) -> None:
        self._url = url
        # The server also leaves a cookie, and would refuse a page that brings that of an account since deleted.
        context.clear_cookies()
        self.page: Page = context.new_page()
        # Before any page's own script: it looks there to know who is here.
        self.page.add_init_script(f"localStorage.setItem('token', {json.dumps(token)})")

    def open(self, path: str) -> None:
        self.page.goto(self._url + path)

    def open_note(self, note_id: str) -> None:
        """Returns when its text can be edited."""
        self.open(f"/notes/{note_id}")
        self.page.locator(".ProseMirror[contenteditable=true]").wait_for()

    def replace(self, old: str, new: str) -> None:
        """Select one stretch of the open note and type over it, key by key."""
        self._select(old, 0)
        self.page.keyboard.type(new, delay=10)

    def type_after(self, text: str, typed: str) -> None:
        self._select(text, len(text))
        self.page.keyboard.type(typed, delay=10)

    def _select(self, text: str, start: int) -> None:
        # The editor can be typed into before its text has come through the socket.
        has_text = "text => document.querySelector('.ProseMirror')?.textContent.includes(text)"
        self.page.wait_for_function(has_text, arg=text)
        self.page.evaluate(_SELECT, [text, start])
        # The editor takes over the selection in an event of its own.
        self.page.wait_for_timeout(100)

    def shown(self) -> str:
        """The text of the open note as a person sees it."""
        return self.page.locator(".ProseMirror").inner_text()

    def screenshot(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=path)

    def open_model_editor(self, model_id: str) -> None:
        """As an administrator. Returns when the system prompt can be edited."""
        news = self.page.get_by_role("button", name="Okay, Let's Go!")
        self.page.add_locator_handler(news, lambda button: button.click())
        self.open(f"/workspace/models/edit?id={model_id}")
        # A long text is folded until somebody asks for it.
        self.page.get_by_role("button", name="Show more").click()
        self.page.get_by_role("textbox", name="System Prompt").wait_for()

    def fill_model(self, system: str, change: str) -> None:
        """Change the prompt in the open editor, and say why."""
        self.page.get_by_role("textbox", name="System Prompt").fill(system)
        self.page.get_by_placeholder("Describe this change").fill(change)

    def save_model(self, system: str, change: str) -> None:
        """The same, and save."""
        self.fill_model(system, change)
        self.page.get_by_role("button", name="Save & Update").click()
        self.page.get_by_text("Model updated successfully").wait_for()
