// Builds of a page, and redesigns of it. Every element keeps its place in `window.nodes`, whatever becomes of the page, so that
// it is known which element is the same one.
window.redesign = (() => {
  const lot = (seed) => () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  const draw = (chance, length) => Array.from({ length }, () => LETTERS[Math.floor(chance() * LETTERS.length)]).join("");
  const numberOf = (text) => [...text].reduce((sum, each) => (Math.imul(sum, 31) + each.charCodeAt(0)) | 0, 7);

  // What builds make of a class: as CSS modules, Emotion, styled-components, Svelte and minifiers of class names do.
  const STYLES = [
    (name, hash) => `${name}_${hash(5)}`,
    (name, hash) => `css-${hash(7).toLowerCase()}`,
    (_, hash) => `sc-${hash(6)}`,
    (_, hash) => `svelte-${hash(6).toLowerCase()}`,
    (_, hash) => `_${hash(5)}`,
    (name, hash) => `${name[0].toUpperCase()}${name.slice(1)}__root--${hash(5)}`,
  ];
  const STATE = /^(active|show|open|selected|disabled|collapsed|current|checked|hidden|is-.*|has-.*)$/;
  const SHARE_HASHED = 0.5;
  const nameOfBuild = (name, seed, build) => {
    const chance = lot(numberOf(name) ^ seed);
    if (STATE.test(name) || chance() > SHARE_HASHED) return name;
    const style = STYLES[Math.floor(chance() * STYLES.length)];
    const hashed = lot(numberOf(name) ^ Math.imul(seed + 1, 7919) ^ Math.imul(build + 1, 104729));
    return style(name, (length) => draw(hashed, length));
  };

  const begin = () => {
    window.nodes = [...document.querySelectorAll("*")];
    window.written = nodes.map((element) => [...element.classList]);
  };
  const inBody = () => nodes.filter((element) => element !== document.body && document.body.contains(element));

  // Classes as a build writes them.
  const build = (seed, number) => {
    nodes.forEach((element, at) => {
      if (!written[at].length) return;
      const states = [...element.classList].filter((name) => STATE.test(name) && !written[at].includes(name));
      const kept = written[at].filter((name) => !STATE.test(name) || element.classList.contains(name));
      element.setAttribute("class", [...kept.map((name) => nameOfBuild(name, seed, number)), ...states].join(" "));
    });
  };

  // What people do to a page: things open, close and are chosen.
  const toggle = (seed) => {
    const chance = lot(seed);
    const NEW = ["is-active", "open", "selected", "has-focus", "is-loading"];
    for (const element of inBody()) {
      if (element.namespaceURI !== document.documentElement.namespaceURI) continue;
      for (const name of [...element.classList]) {
        if (!STATE.test(name) || chance() < 0.5) continue;
        element.classList.remove(name);
        const others = [...element.parentElement.children];
        others[Math.floor(chance() * others.length)].classList.add(name);
      }
      if (chance() < 0.06) element.classList.toggle(NEW[Math.floor(chance() * NEW.length)]);
      const expanded = element.getAttribute("aria-expanded");
      if (expanded && chance() < 0.5) element.setAttribute("aria-expanded", String(expanded !== "true"));
    }
  };

  const HOLDS = /^(div|section|main|article|aside|header|footer|nav|form|body|li|td|fieldset)$/;
  const wrapper = (chance) => Object.assign(document.createElement("div"), { className: `wrap-${draw(chance, 4).toLowerCase()}` });
  // Around single elements, and around all that something holds.
  const wrap = (seed) => {
    const chance = lot(seed);
    for (const element of inBody()) {
      const parent = element.parentElement;
      if (!HOLDS.test(parent.localName) || /^(script|style|li|tr|td|th|option|legend)$/.test(element.localName)) continue;
      if (chance() < 0.12) {
        const around = wrapper(chance);
        element.replaceWith(around);
        around.append(element);
      }
    }
    for (const element of inBody()) {
      if (!HOLDS.test(element.localName) || !element.children.length || chance() > 0.12) continue;
      const around = wrapper(chance);
      around.append(...element.childNodes);
      element.append(around);
    }
  };

  // Every list of three and more of a kind in another order.
  const reorder = (seed) => {
    const chance = lot(seed);
    const kindOf = (element) => `${element.localName} ${[...element.classList].filter((name) => !STATE.test(name)).sort().join(" ")}`;
    for (const parent of [document.body, ...inBody()]) {
      const kinds = Map.groupBy([...parent.children].filter((element) => nodes.includes(element)), kindOf);
      for (const alike of kinds.values()) {
        if (alike.length < 3) continue;
        const marks = alike.map((element) => {
          const mark = document.createComment("");
          element.replaceWith(mark);
          return mark;
        });
        for (let at = alike.length - 1; at > 0; at--) {
          const other = Math.floor(chance() * (at + 1));
          [alike[at], alike[other]] = [alike[other], alike[at]];
        }
        // Not one in its old place where all could have stayed by chance.
        marks.forEach((mark, at) => mark.replaceWith(alike[at]));
      }
    }
  };

  const CHANGES = {
    "hashed classes rebuilt": (seed) => build(seed, 1000),
    "wrappers added": (seed) => wrap(seed + 11),
    "lists reordered": (seed) => reorder(seed + 12),
    "states toggled": (seed) => toggle(seed + 13),
  };
  CHANGES["all of these"] = (seed) => Object.values(CHANGES).slice(0, 4).forEach((change) => change(seed));

  // The places of the elements that match, and that say `text` where one is asked for.
  const matching = ({ selector, text }, labels) =>
    [...document.querySelectorAll(selector)].map((element) => nodes.indexOf(element)).filter((at) => at >= 0 && (text === null || labels[at] === text));

  return { begin, build, toggle, change: (name, seed) => CHANGES[name](seed), changes: Object.keys(CHANGES), matching };
})();
