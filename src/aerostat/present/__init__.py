"""How results are put before people, whatever made them: words, JSON, HTML that needs nothing."""
