// Two custom elements with open shadow roots, one inside the other: what a design system looks like to a page.

const sheet = (text) => Object.assign(document.createElement('style'), { textContent: text });

customElements.define('star-icon', class extends HTMLElement {
  connectedCallback() {
    if (this.shadowRoot) return;
    const root = this.attachShadow({ mode: 'open' });
    root.innerHTML = '<svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true"><path d="M12 3.6l2.6 5.3 5.8.8-4.2 4.1 1 5.8-5.2-2.7-5.2 2.7 1-5.8L3.6 9.7l5.8-.8z"/></svg>';
    root.prepend(sheet(':host { display: block } svg { display: block; fill: none; stroke: var(--star, #b8860b); stroke-width: 1.6 } :host([full]) svg { fill: var(--star, #b8860b) }'));
  }
});

customElements.define('product-rating', class extends HTMLElement {
  connectedCallback() {
    if (this.shadowRoot) return;
    const root = this.attachShadow({ mode: 'open' });
    const value = Math.round(Number(this.getAttribute('value')));
    const stars = [1, 2, 3, 4, 5].map((star) =>
      `<button type="button" class="star" data-star="${star}" aria-label="${star} of 5"><star-icon${star <= value ? ' full' : ''}></star-icon></button>`);
    root.innerHTML = `<div class="rating"><slot name="label"></slot><span class="stars" role="group">${stars.join('')}</span><span class="count">(${this.getAttribute('count')})</span></div>`;
    root.prepend(sheet('.rating { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem; color: var(--faint) } .stars { display: flex } .star { border: 0; background: none; padding: 4px; cursor: pointer }'));
    root.addEventListener('click', (event) => {
      const star = event.target.closest('.star');
      if (!star) return;
      root.querySelectorAll('star-icon').forEach((icon, place) => icon.toggleAttribute('full', place < Number(star.dataset.star)));
      root.querySelector('.count').textContent = 'Thank you';
    });
  }
});
