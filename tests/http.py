"""Requests that tests make themselves, past the product. One client: reading the certificates takes 20 ms."""

from __future__ import annotations

import httpx

HTTP = httpx.Client(limits=httpx.Limits(max_keepalive_connections=0), trust_env=False)
"""No connection is kept: the servers under test come and go on the same ports."""
