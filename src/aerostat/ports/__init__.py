"""What the loop needs from outside, as protocols owned by the one who uses them."""
