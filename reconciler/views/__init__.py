"""Plans, progress and status as text and JSON: functions that return, never print."""
