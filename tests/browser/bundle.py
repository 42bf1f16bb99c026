"""Pages that are made of npm packages, bundled as a site would bundle them."""

from __future__ import annotations

import subprocess
from pathlib import Path

SNIPPET = Path(__file__).parents[2] / "snippet"


def bundled(code: str, folder: Path = SNIPPET, *more: str) -> str:
    """A script tag with `code` and all that it imports, found from `folder`."""
    esbuild = SNIPPET / "node_modules" / ".bin" / "esbuild"
    assert esbuild.exists(), "Run: npm --prefix snippet ci"
    options = ["--bundle", "--minify", "--format=iife", "--target=es2022", "--log-level=warning"]
    options.append('--define:process.env.NODE_ENV="production"')
    made = subprocess.run(
        [esbuild, *options, *more], cwd=folder, input=code, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    code = made.stdout.replace("</script", r"<\/script")
    return f"<script>{code}</script>"
