"""Real guests tell the simulator its constants, and are played against it afterwards."""
