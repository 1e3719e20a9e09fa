"""``wattstead serve``: the product on one machine, with an owner made at first start; fills in nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import typer

from wattstead.app import Product, run_product
from wattstead.settings import Settings


def run(folder: Path, port: int, host: str, base_path: str, trust_forwarded: bool | None) -> int:
    """Start and stay until ended; ``trust_forwarded`` None leaves it to environment and file."""
    settings = Settings(folder=folder, port=port, host=host, base_path=base_path)
    if trust_forwarded is not None:
        settings = settings.model_copy(update={"trust_forwarded": trust_forwarded})
    return run_product(settings, prepare=_first_owner, ready=_say)


async def _first_owner(product: Product) -> None:
    made = await asyncio.to_thread(product.registry.first_owner, product.settings.owner_email)
    if made is not None:
        typer.echo(f"First start. Sign in with\n\n  e-mail    {made.account.email}\n  password  {made.password}\n")
        typer.echo("This password is shown only now.\n")


async def _say(product: Product) -> None:
    typer.echo(f"Wattstead runs at {product.url}/")
