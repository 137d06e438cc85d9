"""Counterfactuals from other firms: synthetic controls, factor models and inference for them."""
