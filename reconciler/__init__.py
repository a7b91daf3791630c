"""Git-backed two-way sync for AI tutors."""
