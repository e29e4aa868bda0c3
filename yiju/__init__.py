"""The `yiju` command and the embedded stack; above every other package."""
