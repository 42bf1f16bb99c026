// Of the host in the page: said with `!important` inside the shadow root, which wins over whatever the page says, also with it.
export const HOST = `
:host { all: initial !important; display: block !important; position: fixed !important; inset: 0 !important; width: 100% !important;
  height: 100% !important; max-width: none !important; max-height: none !important; margin: 0 !important; padding: 0 !important;
  border: 0 !important; background: transparent !important; overflow: visible !important; pointer-events: none !important;
  z-index: 2147483647 !important; color-scheme: light !important }
:host::backdrop { display: none !important }
iframe { position: fixed; inset: 0; width: 100%; height: 100%; border: 0; background: transparent; pointer-events: auto; color-scheme: light }
iframe[data-small] { inset: auto 0 0 auto; width: min(100%, 21rem); height: 5rem }
`;

// Of the frame, where nothing of the page is.
export const PANEL = `
:root { --surface: #fff; --sunken: #efede7; --line: #c6c2b7; --text: #1e1f22; --soft: #54565e; --accent: #0b665e; --on-accent: #fff;
  --bad: #ac2a20; --warning: #875000; --focus: #1f6feb; --bar: #1c8377; --mine: #c2410c; --alike: #1f6feb }
:root[data-scheme=dark] { --surface: #1b1c20; --sunken: #0f1012; --line: #454851; --text: #e7e6e2; --soft: #aeb0b8; --accent: #62c7b9;
  --on-accent: #06201d; --bad: #f28b80; --warning: #e6b35a; --focus: #79b0ff; --bar: #3fa597 }
* { box-sizing: border-box }
[hidden] { display: none !important }
html, body { margin: 0; height: 100%; background: transparent; overflow: hidden }
body { font: 14px/1.45 -apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", "Helvetica Neue", Arial, sans-serif; color: var(--text) }
.glass { position: fixed; inset: 0; cursor: crosshair; outline: 0; touch-action: pan-x pan-y }
.boxes { position: fixed; inset: 0; overflow: hidden; pointer-events: none }
.box { position: absolute; border: 2px dashed var(--alike); border-radius: 3px; background: rgb(31 111 235 / 10%); box-shadow: 0 0 0 1px rgb(255 255 255 / 85%) }
.box.mine { border: 3px solid var(--mine); background: rgb(194 65 12 / 12%) }
.panel { position: fixed; right: 12px; bottom: 12px; width: min(23rem, calc(100% - 24px)); max-height: min(42rem, calc(100% - 24px)); overflow: auto;
  padding: 12px; border: 1px solid var(--line); border-radius: 8px; background: var(--surface); box-shadow: 0 6px 24px rgb(0 0 0 / 28%) }
.panel[data-side=left] { right: auto; left: 12px }
.panel[data-mode=using] { box-shadow: none }
header { display: flex; gap: 4px; align-items: center }
header strong { flex: 1 }
header button { white-space: nowrap; padding: 4px 6px }
p, dl, figure, form, ol { margin: 8px 0 0; padding: 0 }
.status, .note, dt, figcaption, label { color: var(--soft); font-size: 13px }
.here p { margin: 0 } .here { margin-top: 8px }
.taken button { margin-top: 4px; max-width: 100%; overflow-wrap: anywhere; text-align: left }
.crumbs { display: flex; flex-wrap: wrap; gap: 4px; list-style: none; max-height: 6.2rem; overflow: auto }
.crumbs button { font: 12px/1.3 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; padding: 2px 6px; max-width: 100%; overflow-wrap: anywhere; text-align: left }
button, input, select { font: inherit; color: var(--text); background: var(--surface); border: 1px solid var(--line); border-radius: 5px; padding: 4px 8px; min-height: 28px }
button { cursor: pointer }
button[aria-current], button[aria-checked=true], button.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent) }
:focus-visible { outline: 2px solid var(--focus); outline-offset: 1px }
.row { display: flex; gap: 6px; margin-top: 2px }
.asked, .saying { margin-top: 8px }
.saying { align-items: center }
.row input { flex: 1; min-width: 0 }
.selector { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 13px }
dl { display: flex; gap: 18px }
dd { margin: 0; font-size: 20px; font-variant-numeric: tabular-nums }
.ranked { margin-top: 8px; display: grid; grid-auto-rows: max-content; gap: 4px; align-content: start; height: 8.5rem; overflow: auto }
.ranked button { width: 100%; text-align: left; overflow-wrap: anywhere }
.ranked code { display: block; font: 12px/1.4 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace }
.ranked small { color: inherit; opacity: .85 }
svg { display: block; width: 100%; height: 36px; background: var(--sunken); fill: var(--bar) }
.bad { color: var(--bad) }
.warning { color: var(--warning) }
.said { white-space: pre-wrap; overflow-wrap: anywhere }
[aria-busy=true] dl, [aria-busy=true] figure { opacity: .45 }
@media (max-width: 500px) { .panel { right: 6px; left: 6px; bottom: 6px; width: auto; max-height: 62% } .panel[data-side=left] { bottom: auto; top: 6px; right: 6px; left: 6px }
  .panel[data-mode=pointing] .crumbs { display: none } .panel[data-mode=using] { top: auto; bottom: 6px } }
`;
