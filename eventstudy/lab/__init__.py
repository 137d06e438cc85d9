"""Experiments on the user's own market: how tests and models behave there."""
