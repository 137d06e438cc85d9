"""Procedures built of tests: recommendations, differences, multiple testing, intervals."""
