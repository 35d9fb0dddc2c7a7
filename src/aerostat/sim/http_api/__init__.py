"""What the stand-ins share whose hypervisors have an HTTP API."""
