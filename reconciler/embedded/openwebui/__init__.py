"""A small stand-in that speaks the part of Open WebUI's HTTP API (0.12.4) that this project uses.

`model` is the pure state machine (no HTTP, no clock, no threads); `server` puts HTTP, a saved folder and the delivery
of events around it. It is faithful to the surprises of the real server first, and complete second.
"""
