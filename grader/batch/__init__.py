"""Many submissions at once: what is left to do, progress, and where the work runs."""
