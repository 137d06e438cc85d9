"""The verdict: what a study found, in words."""
