"""What `eav-offline bench` measures, one module for each."""
