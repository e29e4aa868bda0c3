"""Groups of commands, one file each: `yiju store ...` is store.py. `app` is the group."""
