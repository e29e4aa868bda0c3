"""`python -m yiju` is the `yiju` command."""

from yiju.cli import main

main()
