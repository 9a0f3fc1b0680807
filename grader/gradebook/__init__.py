"""Keeps submissions, recordings, grades, receipts and marks. Nothing in it is ever overwritten by a new result."""
