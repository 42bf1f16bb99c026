"""What docs/install.md tells to paste, pasted."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Page

from expost.collector.script import hash_of
from tests.browser.bundle import SNIPPET, bundled
from tests.browser.snippet_site import Site

INSTALL = (Path(__file__).parents[2] / "docs" / "install.md").read_text("utf-8")


def blocks(title: str) -> list[str]:
    """The pieces of code under this heading."""
    section = re.split(r"^## ", INSTALL, flags=re.MULTILINE)
    (found,) = [each for each in section if each.startswith(title)]
    return re.findall(r"```\w+\n(.*?)```", found, re.DOTALL)


def here(code: str, site: Site) -> str:
    return code.replace("https://collector.example", f"http://127.0.0.1:{site.port}")


def tag_in_php() -> str:
    (code,) = blocks("WordPress")
    (tag,) = re.findall("'(<script.*</script>)'", code)
    return str(tag)


@pytest.mark.parametrize(
    "tag",
    [blocks("Plain HTML")[0], blocks("Django")[0], tag_in_php(), blocks("Google Tag Manager")[0]],
    ids=["html", "django", "wordpress", "gtm"],
)
def test_the_tag_starts_capture(site: Site, page: Page, tag: str):
    site.pages["/"] = f"<!doctype html><html><head>{here(tag, site)}</head><body><b>shop</b></body></html>"
    page.goto(site.origin)
    site.wait_for("page_view")
    page.click("b")
    site.wait_for("click")
    assert {request.path for request in site.requests if request.method == "POST"} == {"/e?k=KEY"}
    assert {batch["consent"] for batch in site.batches} == {"cookieless"}


def test_the_module_starts_capture_and_takes_calls(site: Site, page: Page):
    start, calls = blocks("React")
    code = here(start + calls, site).replace("from 'expost'", "from './src/package.ts'")
    # As the build does it: in a bundle there is no tag.
    options = ["--inject:src/injected.ts", "--define:document.currentScript=currentTag", '--define:MORE=""']
    site.pages["/"] = f"<!doctype html><body>{bundled(code, SNIPPET, *options)}</body>"
    page.goto(site.origin)
    site.wait_for("custom", "exposure", "identify")
    assert [event["type"] for event in site.events] == ["page_view", "custom", "identify", "exposure"]


def test_the_pinned_line_is_what_the_shell_prints(site: Site, page: Page, tmp_path: Path):
    shell, tag = blocks("A pinned version")
    told = subprocess.run(
        here(shell, site), shell=True, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    name, integrity = told.stdout.split()
    script = (SNIPPET / "dist" / "expost.js").read_bytes()
    assert name == f"expost-{hash_of(script)}.js"
    pinned = here(tag, site).replace("expost-HASH.js", "expost.js").replace("sha384-…", integrity)
    site.pages["/"] = f"<!doctype html><html><head>{pinned}</head></html>"
    page.goto(f"http://127.0.0.1:{site.port}/")  # the site of the tests lets no other origin read its script
    site.wait_for("page_view")
