"""``wattstead serve``: the product on one machine, with an owner made at first start; fills in nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import typer

from wattstead.app import Product, run_product
from wattstead.settings import settings_of


def run(folder: Path, port: int, host: str, base_path: str, given: dict[str, Any]) -> int:
    """Start and stay until ended; what is not ``given`` is left to environment and file."""
    settings = settings_of(folder=folder, port=port, host=host, base_path=base_path, **given)
    return run_product(settings, prepare=_first_owner, ready=_say)


async def _first_owner(product: Product) -> None:
    made = await asyncio.to_thread(product.registry.first_owner, product.settings.owner_email)
    if made is not None:
        typer.echo(f"First start. Sign in with\n\n  e-mail    {made.account.email}\n  password  {made.password}\n")
        typer.echo("This password is shown only now.\n")


async def _say(product: Product) -> None:
    if product.http_url:
        typer.echo(f"Phones learn to trust it at {product.http_url}/trust")
    if product.plain_url:
        typer.echo(f"Devices without TLS post to {product.plain_url}/")
    typer.echo(f"Wattstead runs at {product.url}/")
