// The shop's own behaviour. Of Expost it knows what any site would: the global `expost`.

const FLAG = 'new-checkout';
const kept = {
  read: (name, otherwise) => JSON.parse(localStorage.getItem(name) ?? 'null') ?? otherwise,
  write: (name, value) => localStorage.setItem(name, JSON.stringify(value)),
};
const expost = (...call) => window.expost?.(...call);
// What the shop tells its own parts (and the tests' log) about itself.
const announce = (name, detail) => document.dispatchEvent(new CustomEvent(`shop:${name}`, { detail }));

function visitorKey() {
  const key = kept.read('visitor', null) ?? crypto.randomUUID();
  kept.write('visitor', key);
  return key;
}

// FNV-1a, so that a visitor keeps one variation and the history generator (demo/history.py) agrees with the page.
function variationOf(key) {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(`${FLAG}:${key}`)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return (hash >>> 8) % 2 ? 'treatment' : 'control';
}

function variation() {
  const wished = new URLSearchParams(location.search).get('variation');
  if (wished === 'control' || wished === 'treatment') kept.write('variation', wished);
  return kept.read('variation', null) ?? variationOf(visitorKey());
}

const money = (amount) => `€${amount.toFixed(2)}`;
const cart = () => kept.read('cart', []);
const showCount = () => { document.getElementById('cart-count').textContent = cart().reduce((sum, line) => sum + line.quantity, 0) || ''; };

async function productList() {
  return (await (await fetch('/products.json')).json()).products;
}

async function addToCart(button) {
  const { product: slug } = button.dataset;
  const form = button.closest('form.buy');
  const quantity = Number(form?.elements.quantity.value ?? 1);
  const size = Number(form?.elements.size.value ?? 100);
  const lines = cart();
  const line = lines.find((one) => one.slug === slug && one.size === size);
  if (line) line.quantity += quantity; else lines.push({ slug, size, quantity });
  kept.write('cart', lines);
  showCount();
  button.querySelector('.button-text').textContent = 'Added';
  expost('track', 'Added to cart', { product: slug, size, quantity });
}

async function drawCart() {
  const place = document.getElementById('cart');
  if (!place || !cart().length) return;
  const products = await productList();
  place.replaceChildren(document.getElementById('cart-table').content.cloneNode(true));
  let total = 0;
  for (const line of cart()) {
    const product = products.find((one) => one.slug === line.slug);
    const row = document.getElementById('cart-line').content.cloneNode(true);
    const price = product.price * line.size / 100 * line.quantity;
    total += price;
    Object.assign(row.querySelector('a'), { textContent: product.name, href: `/product/${product.slug}` });
    row.querySelector('.line-size').textContent = `${line.size} g`;
    row.querySelector('.line-quantity').value = line.quantity;
    row.querySelector('.line-total').textContent = money(price);
    row.querySelector('tr').dataset.product = line.slug;
    place.querySelector('tbody').append(row);
  }
  place.querySelector('.cart-total').textContent = money(total);
}

function drawCheckout() {
  const place = document.getElementById('checkout');
  if (!place) return;
  const chosen = variation();
  place.append(document.getElementById(`checkout-${chosen}`).content.cloneNode(true));
  expost('exposure', { flag: FLAG, variation: chosen });
  announce('exposure', { flag: FLAG, variation: chosen });
}

function finishOrder(form) {
  const lines = cart();
  expost('track', 'Ordered', { teas: lines.length, express: form.elements.delivery.value === 'express' });
  kept.write('orders', [...kept.read('orders', []), { at: Date.now(), lines }]);
  kept.write('cart', []);
}

function signUp(form) {
  const { name, company, plan, newsletter } = form.elements;
  const member = `member-${visitorKey().slice(0, 8)}`;
  kept.write('member', { id: member, name: name.value });
  expost('identify', member, { plan: plan.value, newsletter: newsletter.checked });
  announce('identify', { user: member });
  if (company.value) expost('group', 'company', company.value.toLowerCase().replaceAll(' ', '-'), { name: company.value });
}

function signIn(form) {
  const member = form.elements.number.value;
  kept.write('member', { id: member, name: '' });
  expost('identify', member);
  announce('identify', { user: member });
}

document.addEventListener('click', (event) => {
  const at = (selector) => event.target.closest(selector);
  const add = at('.button.add');
  if (add) addToCart(add);
  const wish = at('.wish');
  if (wish) wish.setAttribute('aria-pressed', String(wish.getAttribute('aria-pressed') !== 'true'));
  const tile = at('.tile');
  if (tile && !at('button')) location.assign(tile.dataset.href);
  const opener = at('.open-dialog');
  if (opener) document.getElementById(opener.dataset.dialog).showModal();
  const step = at('.less, .more');
  if (step) { const input = step.parentElement.querySelector('input'); step.matches('.more') ? input.stepUp() : input.stepDown(); }
  const next = at('.next');
  if (next) next.closest('.step').nextElementSibling.hidden = false;
  const vote = at('.vote');
  if (vote) vote.closest('.useful').firstElementChild.textContent = 'Thank you.';
  const remove = at('.remove');
  if (remove) {
    kept.write('cart', cart().filter((line) => line.slug !== remove.closest('tr').dataset.product));
    showCount();
    cart().length ? drawCart() : location.reload();
  }
});

document.addEventListener('change', (event) => {
  const { target } = event;
  if (target.name === 'billing') document.querySelectorAll('[data-monthly]').forEach((price) => { price.textContent = `€${price.dataset[target.value]}`; });
  if (target.name === 'max') target.nextElementSibling.textContent = `€${target.value}`;
  if (target.matches('.line-quantity')) {
    const { product: slug } = target.closest('tr').dataset;
    kept.write('cart', cart().map((line) => (line.slug === slug ? { ...line, quantity: Number(target.value) } : line)));
    showCount();
    drawCart();
  }
  if (target.name === 'sort') {
    const listing = document.querySelector('.listing');
    const by = { name: (card) => card.querySelector('.card-name').textContent, price: (card) => Number(card.querySelector('.price').textContent.slice(1)), rating: () => 0 }[target.value];
    listing.append(...[...listing.children].sort((a, b) => (by(a) > by(b) ? 1 : -1)));
  }
});

document.addEventListener('submit', (event) => {
  if (event.target.matches('form.checkout')) finishOrder(event.target);
  if (event.target.matches('form.signup')) signUp(event.target);
  if (event.target.matches('form.login')) signIn(event.target);
  // Nothing that a visitor typed belongs in an address: the forms that lead on do so without their fields.
  const next = event.target.getAttribute('action');
  if (next) { event.preventDefault(); location.assign(next); }
});

document.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && event.target.matches('.tile')) event.target.click();
});

visitorKey();
variation();
showCount();
drawCart();
drawCheckout();
const plan = new URLSearchParams(location.search).get('plan');
if (plan && document.forms[0]?.matches('.signup')) document.forms[0].elements.plan.value = plan;
