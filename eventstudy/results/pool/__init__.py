"""Several fitted studies as one cross-section."""
