"""What can be done on each page of the shop: the vocabulary of recorder, live visitors and history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .chromium import Tab

Kind = Literal["click", "fill", "choose"]


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a visitor does: `kind` at the element found by `at`; `leads` is the page it opens, if it opens one.

    `at` is a CSS selector in which ` >>> ` goes into an open shadow root.
    """

    name: str
    at: str
    kind: Kind = "click"
    value: str = ""
    leads: str = ""


@dataclass(frozen=True, slots=True)
class ShopPage:
    """One page of the shop with the actions that it offers, in an order in which they can be done one after another."""

    name: str
    path: str
    actions: tuple[Action, ...]

    def action(self, name: str) -> Action:
        """The action called `name`."""
        return next(action for action in self.actions if action.name == name)


CATEGORIES = {
    "green": ("sencha", "longjing", "genmaicha"),
    "black": ("assam", "keemun", "earl-grey"),
    "herbal": ("verbena", "rooibos", "camomile"),
}
PRODUCTS = tuple(product for products in CATEGORIES.values() for product in products)


def _menu(*names: str) -> tuple[Action, ...]:
    places = {
        "menu-green": ('.menu a[href="/category/green"]', "category-green"),
        "menu-black": ('.menu a[href="/category/black"]', "category-black"),
        "menu-herbal": ('.menu a[href="/category/herbal"]', "category-herbal"),
        "menu-pricing": ('.menu a[href="/pricing"]', "pricing"),
        "menu-help": ('.menu a[href="/help"]', "help"),
        "cart": (".cart-link svg", "cart"),
        "account": (".account-link svg", "account"),
    }
    return tuple(Action(name, places[name][0], leads=places[name][1]) for name in names)


HOME = ShopPage(
    "home",
    "/",
    (
        Action("blank", ".hero-cup"),
        Action("follow", '.tile button[data-category="black"] svg'),
        Action("add-sencha", '.card[data-product="sencha"] .add .button-text'),
        Action("letter", "#letter", "fill", "someone@example.com"),
        Action("shop-now", ".shop-now .button-icon", leads="category-green"),
        Action("club", '.hero a[href="/pricing"]', leads="pricing"),
        Action("tile-herbal", ".tile:nth-child(3) p", leads="category-herbal"),
        Action("card-keemun", '.card[data-product="keemun"] .card-name', leads="product-keemun"),
        *_menu("menu-green", "menu-black", "menu-pricing", "menu-help", "cart", "account"),
    ),
)


def _category(slug: str, products: tuple[str, ...]) -> ShopPage:
    return ShopPage(
        f"category-{slug}",
        f"/category/{slug}",
        (
            Action("sort", "#sort", "choose", "Price"),
            Action("organic", 'input[name="organic"]'),
            *(Action(f"add-{product}", f'.card[data-product="{product}"] .add svg') for product in products),
            *(
                Action(
                    f"card-{product}",
                    f'.card[data-product="{product}"] .card-picture',
                    leads=f"product-{product}",
                )
                for product in products
            ),
            *_menu("menu-pricing", "cart"),
        ),
    )


def _product(slug: str) -> ShopPage:
    return ShopPage(
        f"product-{slug}",
        f"/product/{slug}",
        (
            Action("size-250", '.sizes input[value="250"]'),
            Action("more", ".stepper .more svg"),
            Action("rate", 'product-rating >>> .star[data-star="4"] star-icon >>> svg'),
            Action("rate-label", "product-rating em"),
            Action("wish", ".buy .wish"),
            Action("measure", ".open-dialog"),
            Action("measured", "dialog button"),
            Action("origin", ".more-about summary"),
            Action("specs", ".specs tr:nth-child(2) td"),
            Action("add", ".buy .add .button-text"),
            *_menu("menu-green", "menu-pricing", "cart"),
        ),
    )


CART = ShopPage(
    "cart",
    "/cart",
    (
        Action("quantity", ".line-quantity", "fill", "2"),
        Action("voucher", ".voucher .apply"),
        Action("to-checkout", ".to-checkout .button-text", leads="checkout"),
        *_menu("menu-help"),
    ),
)
CHECKOUT_CONTROL = ShopPage(
    "checkout-control",
    "/checkout?variation=control",
    (
        Action("name", 'input[name="name"]', "fill", "A. Visitor"),
        Action("street", 'input[name="street"]', "fill", "Hill Road 1"),
        Action("town", 'input[name="town"]', "fill", "Graz"),
        Action("country", 'select[name="country"]', "choose", "Germany"),
        Action("express", 'input[value="express"]'),
        Action("payment", 'select[name="payment"]', "choose", "Bank"),
        Action("terms", 'input[name="terms"]'),
        Action("order", ".place-order .button-text", leads="thanks"),
        Action("back", '.checkout a[href="/cart"]', leads="cart"),
    ),
)
CHECKOUT_TREATMENT = ShopPage(
    "checkout-treatment",
    "/checkout?variation=treatment",
    (
        Action("name", 'input[name="name"]', "fill", "A. Visitor"),
        Action("street", 'input[name="street"]', "fill", "Hill Road 1"),
        Action("next-1", ".step.address .next"),
        Action("express", '.choice input[value="express"]'),
        Action("next-2", ".step.delivery .next .button-icon"),
        Action("terms", 'input[name="terms"]'),
        Action("order", ".place-order", leads="thanks"),
        Action("one-tap", ".express-pay .button-text", leads="thanks"),
    ),
)
THANKS = ShopPage(
    "thanks",
    "/thanks",
    (Action("to-signup", ".to-signup", leads="signup"), Action("home", '.note a[href="/"]', leads="home")),
)
PRICING = ShopPage(
    "pricing",
    "/pricing",
    (
        Action("yearly", '.toggle input[value="yearly"]'),
        Action("compare", ".compare tbody tr:nth-child(2) td:nth-child(3)"),
        *(
            Action(f"choose-{plan}", f'.plan[data-plan="{plan}"] .choose', leads="signup")
            for plan in ("small", "regular")
        ),
        *_menu("menu-green", "menu-help"),
    ),
)
SIGNUP = ShopPage(
    "signup",
    "/signup",
    (
        Action("name", '.signup input[name="name"]', "fill", "A. Visitor"),
        Action("email", '.signup input[name="email"]', "fill", "visitor@example.com"),
        Action("password", '.signup input[name="password"]', "fill", "a long enough one"),
        Action("plan", 'select[name="plan"]', "choose", "Small"),
        Action("terms", '.signup input[name="terms"]'),
        Action("sign-up", '.signup button[type="submit"]', leads="account"),
        Action("number", '.login input[name="number"]', "fill", "member-00000000"),
        Action("sign-in", ".login button", leads="account"),
    ),
)
HELP = ShopPage(
    "help",
    "/help",
    (
        Action("returns", "#returns summary"),
        Action("useful", '#returns .vote[data-vote="yes"]'),
        Action("topic", 'select[name="topic"]', "choose", "Brewing"),
        Action("message", "textarea", "fill", "How hot is hot?"),
        Action("by-phone", 'input[value="phone"]'),
        Action("notes", ".note-box"),
        Action("send", ".contact .send"),
        *_menu("menu-green", "menu-pricing"),
    ),
)
ACCOUNT = ShopPage(
    "account",
    "/account/orders",
    (
        Action("wishlist", '.tabs a[data-route="wishlist"]'),
        Action("settings", '.tabs a[data-route="settings"]'),
        Action("letters", '.settings input[name="letters"]'),
        Action("language", '.settings select[name="language"]', "choose", "Deutsch"),
        Action("save", ".settings .save"),
        Action("orders", '.tabs a[data-route="orders"]'),
        Action("again", ".order .again"),
        *_menu("menu-green", "cart"),
    ),
)

PAGES = {
    page.name: page
    for page in (
        HOME,
        *(_category(slug, products) for slug, products in CATEGORIES.items()),
        *(_product(slug) for slug in PRODUCTS),
        CART,
        CHECKOUT_CONTROL,
        CHECKOUT_TREATMENT,
        THANKS,
        PRICING,
        SIGNUP,
        HELP,
        ACCOUNT,
    )
}


# What a form needs before it can be sent, and the sending: page and action to the actions in order.
FORMS: dict[str, tuple[str, ...]] = {
    "checkout-control order": ("name", "street", "town", "country", "payment", "terms", "order"),
    "checkout-treatment order": ("name", "street", "next-1", "next-2", "terms", "order"),
    "signup sign-up": ("name", "email", "password", "plan", "terms", "sign-up"),
    "signup sign-in": ("number", "sign-in"),
}


def perform(action: Action, tab: Tab) -> None:
    """Do it by mouse and keyboard: an event that a script makes is not a visitor's."""
    tab.expect_load()
    if action.kind == "choose":
        tab.focus(action.at)
        tab.type_text(action.value)
    else:
        tab.click(action.at)
    if action.kind == "fill":
        tab.focus(action.at)
        tab.type_text(action.value)
        tab.press_tab()
    if action.leads:
        tab.wait_for_load()
