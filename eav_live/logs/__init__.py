"""What a session leaves for whoever looks for a fault."""
