"""`tunegate demo`: every sample through the whole system, and a report of what became of it."""
