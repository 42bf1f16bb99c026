// The account is a single-page application: three routes, drawn in the browser, moved between with history.pushState.

const view = document.getElementById('view');
const stored = (name) => JSON.parse(localStorage.getItem(name) ?? 'null');

const routes = {
  orders: () => {
    const orders = stored('orders') ?? [];
    if (!orders.length) return '<p class="empty">No orders yet. <a href="/category/black">Have a look at the black teas</a>.</p>';
    return orders.map((order, place) => `<article class="order"><h3>Order ${place + 1}</h3><p>${order.lines.length} teas</p><button type="button" class="button again">Order again</button></article>`).join('');
  },
  wishlist: () => '<ul class="wishes"><li class="wish-item"><a href="/product/longjing">Longjing</a></li><li class="wish-item"><a href="/product/keemun">Keemun Mao Feng</a></li></ul>',
  settings: () => `<form class="settings"><label class="check"><input type="checkbox" name="letters" checked> Letters</label>
    <label class="check"><input type="checkbox" name="dark"> Dark cups</label>
    <label class="field">Language <select name="language"><option>English</option><option>Deutsch</option><option>Français</option></select></label>
    <p class="row"><button class="button primary save" type="submit">Save</button><button type="button" class="button quiet leave">Sign out</button></p></form>`,
};

function draw() {
  const route = location.pathname.split('/')[2] || 'orders';
  document.querySelectorAll('.tabs a').forEach((tab) => (tab.dataset.route === route ? tab.setAttribute('aria-current', 'page') : tab.removeAttribute('aria-current')));
  document.title = `${route[0].toUpperCase()}${route.slice(1)} · Account · Kettle & Leaf`;
  view.innerHTML = (routes[route] ?? routes.orders)();
}

document.querySelector('.tabs').addEventListener('click', (event) => {
  const tab = event.target.closest('a');
  if (!tab || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  if (tab.pathname !== location.pathname) history.pushState({}, '', tab.href);
  draw();
});
view.addEventListener('submit', (event) => { event.preventDefault(); event.target.querySelector('.save').textContent = 'Saved'; });
view.addEventListener('click', (event) => {
  if (!event.target.closest('.leave')) return;
  localStorage.removeItem('member');
  window.expost?.('reset');
  document.dispatchEvent(new CustomEvent('shop:reset'));
  location.assign('/');
});
addEventListener('popstate', draw);
document.getElementById('member-name').textContent = stored('member')?.name ? `, ${stored('member').name}` : '';
draw();
