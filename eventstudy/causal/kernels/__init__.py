"""Estimators and inference as pure functions over arrays."""
