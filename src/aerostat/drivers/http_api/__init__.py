"""What drivers share whose VMs have an HTTP API on a Unix socket each: asked, never listened to."""
