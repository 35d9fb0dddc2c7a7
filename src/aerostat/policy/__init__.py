"""One idea a file: how a supply of memory is shared among guests."""
