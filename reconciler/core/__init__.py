"""The pure heart: values in, decisions out. No I/O, no clock, standard library only."""
