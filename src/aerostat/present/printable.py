"""Text from elsewhere, made safe for a terminal."""


def printable(text: str) -> str:
    """Text without control characters: a guest's name must not drive the terminal."""
    return "".join(char if char.isprintable() else "?" for char in text)
