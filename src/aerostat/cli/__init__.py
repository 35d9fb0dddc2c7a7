"""The command line: verbs, options, exit statuses; no decisions."""
