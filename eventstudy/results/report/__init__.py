"""The report of a study: its content, figures and code."""
