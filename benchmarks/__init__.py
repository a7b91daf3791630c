"""What the reconciler costs, measured: every target of the design as a ratio to the same bare requests in one run."""
