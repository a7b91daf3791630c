"""One pass: observe, decide, guard, apply, remember. ``engine`` has the order; each other module one step of it."""
