"""Adapters to the live systems: each speaks one system's API, translates, and never decides."""
