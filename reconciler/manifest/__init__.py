"""Files people write, as values: text in, models out. No I/O and no clock."""
