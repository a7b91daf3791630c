"""Version 1's sections rewritten as version 2's, one module for each kind; `migrate.py` above puts them together."""
