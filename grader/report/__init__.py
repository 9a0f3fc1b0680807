"""What people read: the feedback page of a student, the report of a class, and exports for other programs."""
