"""What `eav-live` and `eav-replay` can do, one module for each command."""
