"""The real SDKs of four flag products, each with its adapter: one exposure, whoever decided the flag."""

from __future__ import annotations

import json
import subprocess

import pytest
from playwright.sync_api import Page

from tests.browser.bundle import SNIPPET, bundled
from tests.browser.snippet_site import Site

# Each story fetches all flags, and says so; then it uses one twice, another once, and one that nobody knows.
OPENFEATURE = """
import { OpenFeature } from '@openfeature/web-sdk';
import { exposureHook } from './dist/adapters/openfeature.js';

const fetched = {};
const provider = {
  metadata: { name: 'bulk' },
  runsOn: 'client',
  async initialize() {
    const flagMetadata = { version: 3, rule: 'half' };
    fetched['new-checkout'] = { value: { steps: 2 }, variant: 'treatment', reason: 'CACHED', flagMetadata };
    fetched['banner'] = { value: true, reason: 'STATIC' };
    fetched['retired'] = { value: 'mine', reason: 'DISABLED' };
  },
};
const find = (key, value) => fetched[key] ?? { value, reason: 'ERROR', errorCode: 'FLAG_NOT_FOUND' };
for (const type of ['Boolean', 'String', 'Number', 'Object']) provider[`resolve${type}Evaluation`] = find;
OpenFeature.addHooks(exposureHook);
await OpenFeature.setProviderAndWait(provider);
const client = OpenFeature.getClient();
expost('track', 'fetched');
client.getObjectValue('new-checkout', {});
client.getObjectValue('new-checkout', {});
client.getBooleanValue('banner', false);
client.getStringValue('retired', 'mine');
client.getStringValue('unknown', 'mine');
"""

LAUNCHDARKLY = """
import { initialize } from 'launchdarkly-js-client-sdk';
import { exposureHook, exposureInspector } from './dist/adapters/launchdarkly.js';

const bootstrap = {
  'new-checkout': 'treatment', banner: true, retired: null,
  $flagsState: {
    'new-checkout': { variation: 1, version: 3, reason: { kind: 'RULE_MATCH', ruleIndex: 0, ruleId: 'half' } },
    banner: { variation: 0, version: 1, reason: { kind: 'FALLTHROUGH' } },
    retired: { version: 1, reason: { kind: 'OFF' } },
  },
  $valid: true,
};
const { origin } = location;
const loopback = { baseUrl: origin, streamUrl: origin, eventsUrl: origin };
const quiet = { sendEvents: false, fetchGoals: false, diagnosticOptOut: true };
const options = { ...loopback, ...quiet, bootstrap, evaluationReasons: true, OPTION };
const client = initialize('local', { kind: 'user', key: 'ann' }, options);
await client.waitForInitialization(5);
client.allFlags();
expost('track', 'fetched');
client.variation('new-checkout', 'mine');
client.variationDetail('new-checkout', 'mine');
client.variation('banner', false);
client.variation('retired', 'mine');
client.variation('unknown', 'mine');
"""

GROWTHBOOK = """
import { GrowthBook } from '@growthbook/growthbook';
import { trackingCallback } from './dist/adapters/growthbook.js';

const experiment = (key, variations) => ({
  defaultValue: variations[0],
  rules: [{ key, variations, weights: [0, 1], coverage: 1, hashAttribute: 'id' }],
});
const features = {
  'new-checkout': experiment('half', ['control', 'treatment']),
  banner: experiment('all', [false, true]),
  retired: { defaultValue: 'mine' },
};
const growthbook = new GrowthBook({ attributes: { id: 'ann' }, trackingCallback }).initSync({ payload: { features } });
expost('track', 'fetched');
growthbook.getFeatureValue('new-checkout', 'mine');
growthbook.getFeatureValue('new-checkout', 'mine');
growthbook.isOn('banner');
growthbook.getFeatureValue('retired', 'mine');
growthbook.getFeatureValue('unknown', 'mine');
"""

UNLEASH = """
import { InMemoryStorageProvider, UnleashClient } from 'unleash-proxy-client';
import { tellExposures } from './dist/adapters/unleash.js';

const none = { name: 'disabled', enabled: false };
const client = new UnleashClient({
  url: location.origin + '/unleash', clientKey: 'local', appName: 'shop', disableRefresh: true, disableMetrics: true,
  storageProvider: new InMemoryStorageProvider(),
  bootstrap: [
    { name: 'new-checkout', enabled: true, impressionData: true, variant: { name: 'treatment', enabled: true } },
    { name: 'banner', enabled: true, impressionData: true, variant: none },
    { name: 'silent', enabled: true, impressionData: false, variant: none },
  ],
});
tellExposures(client);
await client.start();
client.getAllToggles();
expost('track', 'fetched');
client.isEnabled('new-checkout');
client.getVariant('new-checkout');
client.isEnabled('banner');
client.isEnabled('silent');
client.isEnabled('unknown');
"""

STORIES = {
    "openfeature": (OPENFEATURE, {"flag_version": "3", "rule": "half"}, {}),
    "launchdarkly inspector": (
        LAUNCHDARKLY.replace("OPTION", "inspectors: [exposureInspector]"),
        {"rule": "half"},
        {},
    ),
    "launchdarkly hook": (LAUNCHDARKLY.replace("OPTION", "hooks: [exposureHook]"), {"rule": "half"}, {}),
    "growthbook": (GROWTHBOOK, {"rule": "half"}, {"rule": "all"}),
    "unleash": (UNLEASH, {}, {}),
}


@pytest.mark.parametrize("name", STORIES)
def test_a_flag_that_is_used_is_one_exposure_and_a_bulk_fetch_is_none(site: Site, page: Page, name: str):
    asked: list[str] = []
    errors: list[object] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(error))
    code, checkout, banner = STORIES[name]
    imports, _, story = code.partition("\n\n")
    stub = f"<script>{(SNIPPET / 'dist' / 'stub.js').read_text()}</script>"
    script = bundled(f"{imports}\n(async () => {{ {story} expost('track', 'used') }})()")
    page.goto(site.page("<p>shop</p>", head=stub + script))
    site.wait_for("custom", "custom")
    kept = ("name", "flag", "variation", "flag_version", "rule")
    assert [{key: event[key] for key in kept if key in event} for event in site.of("custom", "exposure")] == [
        {"name": "fetched"},
        {"flag": "new-checkout", "variation": "treatment"} | checkout,
        {"flag": "banner", "variation": "true"} | banner,
        {"name": "used"},
    ]
    assert errors == []
    assert {url.split("/")[2].partition(":")[0] for url in asked if url.startswith("http")} <= {
        "localhost", "127.0.0.1",
    }  # fmt: skip


def test_whatever_a_value_is_the_caller_gets_it(site: Site, page: Page):
    imports, _, story = OPENFEATURE.partition("\n\n")
    story = (
        story.partition("expost(")[0]
        + """
    const round = { steps: 2 };
    round.round = round;
    fetched.round = { value: round, reason: 'STATIC' };
    window.got = [client.getObjectValue('round', {}) === round];
    window.expost = () => got.push('called'); // the page's own
    got.push(client.getBooleanValue('banner', false));
    """
    )
    stub = f"<script>{(SNIPPET / 'dist' / 'stub.js').read_text()}</script>"
    page.goto(site.page("<p>shop</p>", head=stub + bundled(f"{imports}\n(async () => {{ {story} }})()")))
    page.wait_for_function("window.got?.length === 2")
    assert page.evaluate("got") == [True, True]


def test_an_exposure_before_the_script_and_without_the_stub_is_kept(site: Site, page: Page):
    code = """
    import { trackingCallback } from './dist/adapters/growthbook.js';
    trackingCallback({ key: 'half' }, { value: { steps: 2 }, key: '1', featureId: null });
    """
    page.goto(site.page("<p>shop</p>", head=bundled(code)))
    (exposure,) = [event for event in site.wait_for("exposure") if event["type"] == "exposure"]
    assert (exposure["flag"], exposure["variation"]) == ("half", "1")


def test_on_a_server_the_adapters_do_nothing():
    code = """
    import { exposureHook } from './dist/adapters/openfeature.js';
    import { exposureInspector } from './dist/adapters/launchdarkly.js';
    import { trackingCallback } from './dist/adapters/growthbook.js';
    exposureHook.after({ flagKey: 'f' }, { value: true });
    exposureInspector.method('f', { value: true, variationIndex: 0 });
    trackingCallback({ key: 'e' }, { value: 'a', key: '0', featureId: 'f' });
    console.log(JSON.stringify('window' in globalThis));
    """
    node = ["node", "--input-type=module", "--eval", code]
    assert json.loads(subprocess.run(node, cwd=SNIPPET, capture_output=True, check=True).stdout) is False
