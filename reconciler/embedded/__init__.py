"""Small stand-ins for the live systems, so that the product runs with nothing else installed."""
