"""An application people run, beside the lab's own workload: Redis, by its own load generator."""
