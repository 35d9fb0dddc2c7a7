"""``aerostat simulate``: policies against each other on worlds from files; table, JSON, report."""
