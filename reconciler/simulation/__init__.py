"""The deterministic simulation: everything the engine talks to, in memory, and reproducible from a seed."""
