"""When to look: the queue of keys, the sources that fill it, the loop that empties it. Nothing else waits."""
