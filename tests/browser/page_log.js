// The page's own account of what happened, kept apart from the snippet: what the browser itself says matches.
// Injected by Playwright before any script of the page; `SELECTORS` and `__keep` (a binding) come from the test.
(() => {
  if (location.protocol !== 'http:') return;
  const keep = (entry) => { window.__keep({ start: performance.timeOrigin, path: location.pathname, at: performance.now(), ...entry }); };

  // The subject walk of docs/rules.md 2: inside a tree `closest`, and from an open shadow root on to its host.
  const isMatch = (target, selector) => {
    for (let place = target; place; place = place.getRootNode() instanceof ShadowRoot ? place.getRootNode().host : null) {
      if (place.closest(selector)) return true;
    }
    return false;
  };
  const TYPES = ['click', 'auxclick', 'change', 'submit'];
  for (const type of TYPES) {
    addEventListener(type, (event) => {
      const first = event.composedPath()[0];
      const target = first instanceof Element ? first : first.parentElement;
      keep({ type, matched: SELECTORS.filter((selector) => isMatch(target, selector)) });
    }, true);
  }

  keep({ type: 'page_view' });
  const { pushState } = history;
  history.pushState = function (...given) {
    pushState.apply(this, given);
    keep({ type: 'page_view' });
  };
  addEventListener('popstate', () => keep({ type: 'page_view' }));
  document.addEventListener('shop:exposure', ({ detail }) => keep({ type: 'exposure', ...detail }));
  document.addEventListener('shop:identify', ({ detail }) => keep({ type: 'identify', ...detail }));
})();
