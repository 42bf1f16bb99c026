// The peers, each set up as its documentation says, with full autocapture and without session replay, surveys or anything
// else that ours has not. `sizeOf` is the package's own ready-made file where it has one, else what a bundler makes.
// Snowplow's tracker is of its plugins' version: beside a newer one they would bring a second core along.
import { gunzipSync } from "node:zlib";

export const PEERS = [
  {
    name: "posthog-js",
    sizeOf: "posthog-js/dist/array.js",
    code: `import posthog from "posthog-js";
      posthog.init("phc_bench", { api_host: location.origin, autocapture: true, disable_session_recording: true,
        disable_surveys: true, disable_external_dependency_loading: true, opt_out_useragent_filter: true });`,
    clicks: (text) => text.split('"$autocapture"').length - 1,
  },
  {
    name: "mixpanel-browser",
    sizeOf: "mixpanel-browser/dist/mixpanel.min.js",
    code: `import mixpanel from "mixpanel-browser/dist/mixpanel-core.cjs.js";
      mixpanel.init("bench", { api_host: location.origin, autocapture: true, record_sessions_percent: 0 });`,
    clicks: (text) => text.split('"$mp_click"').length - 1,
  },
  {
    name: "@amplitude/analytics-browser",
    sizeOf: "@amplitude/analytics-browser/lib/scripts/amplitude-min.js",
    code: `import { init } from "@amplitude/analytics-browser";
      init("bench", { serverUrl: location.origin + "/amplitude", autocapture: true, fetchRemoteConfig: false });`,
    clicks: (text) => text.split('"[Amplitude] Element Clicked"').length - 1,
  },
  {
    name: "@snowplow/browser-tracker",
    code: `import { newTracker, trackPageView } from "@snowplow/browser-tracker";
      import { LinkClickTrackingPlugin, enableLinkClickTracking } from "@snowplow/browser-plugin-link-click-tracking";
      import { ButtonClickTrackingPlugin, enableButtonClickTracking } from "@snowplow/browser-plugin-button-click-tracking";
      import { FormTrackingPlugin, enableFormTracking } from "@snowplow/browser-plugin-form-tracking";
      newTracker("sp", location.origin, { appId: "bench", plugins: [LinkClickTrackingPlugin(), ButtonClickTrackingPlugin(), FormTrackingPlugin()] });
      enableLinkClickTracking(); enableButtonClickTracking(); enableFormTracking(); trackPageView();`,
    clicks: (text) => text.match(/(link|button)_click\/jsonschema/g)?.length ?? 0,
  },
];

// What was sent, as text: unpacked, and out of a form field if it stood in one.
export const unpacked = (body) => {
  const text = (body[0] === 0x1f && body[1] === 0x8b ? gunzipSync(body) : body).toString();
  if (!text.startsWith("data=")) return text;
  const value = new URLSearchParams(text).get("data");
  return /^[\w+/=-]+$/.test(value) ? Buffer.from(value, "base64").toString() : value;
};

// What their servers say at the start. Nothing else is asked of them.
export const ANSWERS = [
  [/^\/flags\//, { supportedCompression: ["gzip-js"], featureFlags: {}, sessionRecording: false, autocapture_opt_out: false, surveys: false }],
  [/^\/array\/.*\/config$/, { supportedCompression: ["gzip-js"], hasFeatureFlags: false, sessionRecording: false, autocapture_opt_out: false, surveys: false }],
  [/^\/amplitude/, { code: 200 }],
  [/^\/track/, { status: 1, error: null }],
  [/./, { status: 1 }],
];
