"""Open WebUI as a `Remote`. The only package that knows its API; `adapter.OpenWebUIRemote` is its face."""

from reconciler.remotes.openwebui.adapter import OpenWebUIRemote
from reconciler.remotes.openwebui.history import Version
from reconciler.remotes.openwebui.people import WebGroup, WebUser
from reconciler.remotes.openwebui.threads import Message, Thread

__all__ = ["Message", "OpenWebUIRemote", "Thread", "Version", "WebGroup", "WebUser"]
