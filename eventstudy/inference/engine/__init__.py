"""What tests share below them: passes over estimation windows, and ranks."""
