"""The subcommands of `kairanban`, one file per subject."""
