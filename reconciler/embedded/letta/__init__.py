"""A small stand-in that speaks the part of Letta's HTTP API that this project uses.

`model` is the pure state machine (no HTTP, no clock, no threads); `server` puts HTTP and a saved folder around it.
It is faithful to the surprises of the real server first, and complete second.
"""
