"""Correlation between events: the mean correlation of their residuals, pair by pair or session by session."""
