// The pages that are clicked on: a shop of some 2,000 elements, a table of 10,000 rows, and what others have written.
import { realPages } from "../pages/pages.mjs";

const many = (count, write) => Array.from({ length: count }, (_, place) => write(place)).join("");
const icon = '<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d="M2 2h12v12H2z"></path></svg>';
const product = (n) => `<li class="product-card col-4${n % 5 ? "" : " is-featured"}" data-product-id="${10_000 + n}">
  <a class="product-link" href="/product/${n}?from=list"><img class="thumb" src="data:," alt="Product ${n}"><h3>Product number ${n}</h3></a>
  <p class="price"><span class="currency">€</span><span class="amount">${n}.50</span></p>
  <button type="button" class="btn btn-primary add-to-cart" aria-label="Add product ${n}">${icon}<span>Add to cart</span></button></li>`;
const shop = `<body><div id="app" class="layout layout--wide"><header class="top"><nav class="menu"><ul>${many(8, (n) => `<li><a href="/c/${n}">Category ${n}</a></li>`)}</ul></nav></header>
  <main class="content"><section class="listing"><ul class="grid">${many(160, product)}</ul></section>
  <section class="orders"><table class="table"><tbody>${many(100, (n) => `<tr class="row"><td>${n}</td><td class="name">Order ${n}</td><td><a href="/order?id=${n}">Open</a></td></tr>`)}</tbody></table></section></main></div></body>`;
const rows = `<body><table><tbody>${"<tr><td>a</td><td>b</td></tr>".repeat(10_000)}</tbody></table></body>`;

const stay = "<script>addEventListener('click', event => event.preventDefault())</script>"; // links would lead away
const stayToo = "<script>addEventListener('submit', event => event.preventDefault())</script>";

export const REAL = realPages();
const bodies = [shop, rows, ...REAL.map(({ body }) => body)];
export const SHOP = 0;
export const ROWS = 1;
export const FIRST_REAL = 2;

export const page = (place, tag) =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,"><title>Shop</title>${stay}${stayToo}${tag}</head>${bodies[place]}</html>`;
