"""``python -m wattstead`` is the command line."""

from wattstead.cli import main

main()
