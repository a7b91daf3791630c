"""What each subcommand does, once its arguments are read; every function returns an exit code."""
