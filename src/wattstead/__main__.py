"""The command line, as ``wattstead`` and as ``python -m wattstead``; says so where it is not installed."""

import sys

_BROUGHT_BY_SERVER = ("typer", "pydantic_settings")


def main() -> None:
    """Run the command line; an installation on site, ``wattstead[edge]``, has none."""
    try:
        from wattstead.cli import main as command_line  # noqa: PLC0415 - it may not be there
    except ModuleNotFoundError as missing:
        if missing.name not in _BROUGHT_BY_SERVER:
            raise
        sys.exit(
            "wattstead: this installation receives and keeps readings and has no command line; "
            "`pip install 'wattstead[server]'` brings it"
        )
    command_line()


if __name__ == "__main__":
    main()
