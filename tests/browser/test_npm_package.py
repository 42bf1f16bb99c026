"""The npm package as a site takes it: packed, installed, type-checked, bundled, run."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.bundle import SNIPPET, bundled
from tests.browser.snippet_site import Site

SHOP = """
import { init, track, identify, group, set, exposure, consent, reset } from 'expost';
import { exposureHook } from 'expost/openfeature';

track('Before', { early: true });
void init({ key: 'wk_npm', COLLECTOR consent: 'full', release: '7', environment: 'staging' });
void init({ key: 'second' });
identify('ann', { plan: 'pro' });
set({ theme: 'dark' });
exposure({ flag: 'new-checkout', variation: 'treatment', flag_version: 3, rule: 'everyone' });
exposureHook.after({ flagKey: 'banner' }, { value: true });
(window as any).finish = () => { group('account', 'acme'); reset(); consent('cookieless'); track('After'); };
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a site that has installed the package."""
    folder = tmp_path_factory.mktemp("shop")

    def npm(*command: str, cwd: Path) -> None:
        subprocess.run(["npm", *command, "--silent"], cwd=cwd, check=True)

    npm("pack", f"--pack-destination={folder}", cwd=SNIPPET)
    (packed,) = folder.glob("expost-*.tgz")
    (folder / "package.json").write_text(json.dumps({"private": True, "type": "module"}))
    npm("install", "--offline", "--no-audit", "--no-fund", f"./{packed.name}", cwd=folder)
    return folder


def test_the_package_captures_what_the_tag_captures(site: Site, page: Page, shop: Path):
    code = SHOP.replace("COLLECTOR", f"collector: 'http://127.0.0.1:{site.port}',")
    (shop / "page.ts").write_text(code)
    script = bundled("import './page.ts'", shop)
    site.pages["/"] = f"<!doctype html><title>Shop</title><button>Buy <b>now</b></button>{script}"
    page.goto(site.origin)
    page.click("b")
    site.wait_for("click")
    page.evaluate("finish()")
    site.wait_for("custom", "custom")
    kept = ("type", "name", "properties", "user", "flag", "variation", "flag_version", "label", "group")
    assert [{key: event[key] for key in kept if key in event} for event in site.events] == [
        {"type": "page_view"},
        {"type": "custom", "name": "Before", "properties": {"early": True}},
        {"type": "identify", "user": "ann"},
        {"type": "exposure", "flag": "new-checkout", "variation": "treatment", "flag_version": "3"},
        {"type": "exposure", "flag": "banner", "variation": "true"},
        {"type": "click", "label": "Buy now"},
        {"type": "group", "group": "acme"},
        {"type": "reset"},
        {"type": "custom", "name": "After"},
    ]
    assert {request.path for request in site.requests if request.method == "POST"} == {"/e?k=wk_npm"}
    assert {(batch["release"], batch["environment"]) for batch in site.batches} == {("7", "staging")}
    assert [batch["consent"] for batch in site.batches][-1] == "cookieless"


MORE = """
import { init } from 'expost';
void init({ key: 'wk_npm', COLLECTOR consent: 'full', also: 'dead-clicks copy web-vitals', domains: 'two.localhost' });
"""


def test_the_package_brings_its_own_second_file(site: Site, page: Page, shop: Path):
    code = MORE.replace("COLLECTOR", f"collector: 'http://127.0.0.1:{site.port}',")
    (shop / "more.ts").write_text(code)
    script = bundled("import './more.ts'", shop)
    site.pages["/"] = f"<!doctype html><title>Shop</title><button>Buy</button>{script}"
    page.goto(site.origin)
    site.wait_for("page_view", "web_vital")
    page.click("button")
    page.evaluate("getSelection().selectAllChildren(document.body); document.execCommand('copy')")
    site.wait_for("click", "copy")
    (click,) = site.of("click")
    assert "reaction" in click["properties"]
    assert {request.path for request in site.requests} - {"/favicon.ico"} == {"/", "/e?k=wk_npm"}


def test_a_bundler_that_splits_leaves_the_second_file_to_be_loaded_later(shop: Path):
    (shop / "more.ts").write_text(MORE.replace("COLLECTOR", ""))
    esbuild = SNIPPET / "node_modules" / ".bin" / "esbuild"
    options = ["--bundle", "--splitting", "--format=esm", f"--outdir={shop / 'out'}", "--log-level=warning"]
    subprocess.run([esbuild, "more.ts", *options], cwd=shop, check=True)
    page = (shop / "out" / "more.js").read_text()
    later = {file.name.partition("-")[0] for file in (shop / "out").iterdir()} - {"more.js"}
    assert {"more", "vitals"} <= later
    assert "dead-clicks" not in page.replace("dead-clicks copy web-vitals", "")


def test_its_types_are_those_of_its_calls(shop: Path):
    (shop / "page.ts").write_text(SHOP.replace("COLLECTOR", ""))
    (shop / "wrong.ts").write_text("import { exposure } from 'expost';\nexposure({ flag: 'f' });\n")
    settings = {
        "noEmit": True,
        "strict": True,
        "module": "esnext",
        "moduleResolution": "bundler",
        "types": [],
    }
    tsc = ["node", str(SNIPPET / "node_modules" / "typescript" / "bin" / "tsc"), "--project"]
    for name in ("page", "wrong"):
        project = {"compilerOptions": settings | {"target": "es2022"}, "files": [f"{name}.ts"]}
        (shop / f"{name}.json").write_text(json.dumps(project))
    assert subprocess.run([*tsc, "page.json"], cwd=shop, capture_output=True).stdout == b""
    wrong = subprocess.run([*tsc, "wrong.json"], cwd=shop, capture_output=True, text=True).stdout
    assert "variation" in wrong


def test_on_a_server_it_does_nothing(shop: Path):
    code = "import { init, track } from 'expost'; track('x'); await init({ key: 'k' }); console.log('alive')"
    node = ["node", "--input-type=module", "--eval", code]
    assert subprocess.run(node, cwd=shop, capture_output=True, check=True).stdout == b"alive\n"
