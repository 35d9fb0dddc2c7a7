"""The one loop: collect with deadlines, step, apply; decides nothing about memory itself."""
