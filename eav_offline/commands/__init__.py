"""The subcommands of `eav-offline`, one module for each group."""
