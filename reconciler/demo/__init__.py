"""The main job on a new machine, as a person would do it: real commands, their real output, real states checked.

It stands on the command line and the stand-ins alone, as any user does, and holds no logic of the reconciler's.
"""
