"""What runs inside a guest: one file that stands alone, and the unit that starts it."""
