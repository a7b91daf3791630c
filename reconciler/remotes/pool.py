"""One pooled HTTP client per live system."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from functools import cache
from urllib.parse import urlsplit

import httpx

NO_HEADERS: Mapping[str, str] = {}
_HERE = ("127.0.0.1", "localhost", "::1")


def client(base_url: str, timeout: float, headers: Mapping[str, str] = NO_HEADERS) -> httpx.Client:
    """A client for requests below ``base_url``; ``timeout`` in seconds. Its connections are kept open until ``close``.

    A proxy from the environment never leads to this very machine.
    """
    is_here = urlsplit(base_url).hostname in _HERE
    return httpx.Client(
        timeout=timeout, trust_env=not is_here, follow_redirects=True, headers=dict(headers), verify=_trusted()
    )


@cache
def _trusted() -> ssl.SSLContext:
    """The certificates that are trusted, those of ``SSL_CERT_FILE`` included. Reading them takes 20 ms, so once."""
    return httpx.create_ssl_context()
