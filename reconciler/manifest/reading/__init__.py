"""From raw TOML to models: each module reads one part of a course and notes what is wrong with it.

`load.py` above puts the parts together. Nothing here gives up at the first error: an author sees all of them.
"""
