"""Selectors for the pages in `selector_pages`: by hand where rules differ, and drawn from the words of a page."""

from __future__ import annotations

import random
from typing import Any

from expost.query.css import escape_identifier, quote_string

BY_HAND = r"""
*
html | HTML | body | div | DIV | a | svg | SVG | path | g | foreignObject | foreignobject | FOREIGNOBJECT | linearGradient
lineargradient | clipPath | math | mi | BLINKY | blinky | Widget | widget | WIDGET | my-card | MY-CARD | custom-thing | di\76
#top | #Top | #TOP | #main | #Main | #card-2 | #🙂 | #\1f642 | #\31 | #a\.b\:c | #a\ b | #\ lead | #grad | #K | #\212a | #P | #p
.card | .Card | .card.featured | .item.first | .icon | .Icon | .ICON | .page | .Page | .PAGE | .main | .Main | .🙂 | .\31 st
.emoji-👩‍💻 | .-\32 | .--x | .\- | .w\:1\/2 | .md\:hover\:bg-\[\#fff\] | .p-1\.5 | .\!m-0 | .a\\b | .é | .É | .e\301 | .ﬁ | .fi
.nb\a0 sp | .many | .white | .spaces | .dup | .plain | .masked | .ÄÖ | .äö | .k | .K | .\212a | .user-ann\@example\.com
.nav--main | .wide | .legal .link | .upper | .Upper
[id] | [class] | [id=""] | [class=""] | [title] | [TITLE] | [href] | [data-id] | [data-id="2"] | [data-id='2'] | [data-id=\32]
[data-tags~=new] | [data-tags~=sale] | [data-tags~="new sale"] | [data-tags~=""] | [data-tags=""] | [data-tags^=""] | [data-tags*=""]
[data-tags$=""] | [data-tags|=""] | [data-tags^=n] | [data-tags$=sale] | [data-tags*="w s"] | [class~=nav] | [class~="wide"] | [class^=nav]
[class$=wide] | [class*="  "] | [class|=btn] | [class="link active"] | [class^="link"] | [class*=--] | [class~="nb sp"] | [class~=spaces]
[lang=en] | [lang=EN] | [lang|=en] | [lang|=EN] | [lang|="en-"] | [lang|=""] | [lang^=en] | [lang$=gb] | [lang$=GB i] | [lang=""]
[type=text] | [type=TEXT] | [type=button] | [type=Submit] | [type=submit] | [type="password"] | [type^=pass] | [type$="/mp4"] | [type~=text]
[type=email] | [method=post] | [action^="/signup"] | [action="/signup"] | [rel~=next] | [rel~=Next] | [rel="next prev"] | [rel*=XT]
[target=_blank] | [hreflang=de] | [scope=col] | [align=left] | [align=center] | [media=screen] | [dir=rtl] | [dir=RTL]
[data-kind=bar] | [data-kind=Bar] | [data-kind=bar i] | [data-kind="bAR"i] | [data-page=HOME i] | [name=description] | [name=Description] | [name=description i]
[role=img] | [role=IMG] | [role=banner] | [aria-label] | [aria-label="Main"] | [aria-label^="Sign up"] | [aria-label*="up n"] | [aria-expanded=false]
[viewBox] | [viewbox] | [VIEWBOX] | [gradientUnits] | [gradientunits] | [preserveAspectRatio] | [data-Icon] | [data-icon] | [data-icon=Cart] | [data-icon=cart]
[data-mixed] | [data-Mixed=Case] | [data-mixed=case] | [kind] | [Kind] | [data-raw] | [Data-Raw]
[disabled] | [disabled=""] | [checked] | [required] | [open] | [hidden] | [readonly] | [multiple] | [selected] | [contenteditable] | [controls]
[href="/"] | [href^="/"] | [href^="/shop"] | [href$="#list"] | [href^="https://"] | [href*="other.example"] | [href$=".html"] | [href="#x"] | [href^=mailto]
[href="/shop?page=2&q=tea#list"] | [href="/shop"] | [href^="/shop?page=2"] | [href$="=tea"] | [href^="/b"] | [src^="/go.png"] | [src="/a.mp4"] | [href="HTTP://Example.COM/Path"]
[title="Start here"] | [title^=Start] | [title$=here] | [title="  spaced  "] | [title~=spaced] | [title="…"] | [title*="…"] | [data-dots="a…b"] | [data-dots^="a…"]
[data-json] | [data-json='{"a":[1,"x"]}'] | [data-json*='"x"'] | [data-quote='"'] | [data-quote="\""] | [data-back="\\\\"] | [data-line="a\a b"] | [data-line~=b]
[data-tab="a\9 b"] | [data-tab~=a] | [data-tab|=a] | [\@click] | [\:class] | [x-on\:click\.prevent] | [v-model] | [\(input\)] | [\#ref] | [\[prop\]] | [data-ünï] | [data-ünï=ü]
[data-ÜNÏ] | [data-_x="1"] | [data-=e] | [data-long^="0123"] | [data-long$=end] | [data-long*="9 0"] | [data-long="x"] | [data-long~=end]
[data-secret] | [data-secret^=card] | [data-secret$=end] | [data-secret*="4111"] | [data-secret="card 4111 1111 1111 1111 end"] | [data-secret="bard"] | [title^="mail to"]
[title="mail to ann@example.com now"] | [title="mail to bob"] | [title$=later] | [data-up=up] | [data-up=UP] | [data-UP=UP] | [placeholder] | [placeholder^=you] | [data-list|=one] | [data-list~=two-three] | [data-lang|=en]
[data-empty=""] | [data-empty|=""] | [data-empty~=""] | [data-action~=open] | [data-action="open cart"] | [class~="-"] | [slot=title] | [for=email] | [name="later-1"] | [data-x=y] | [title=private]
html body | body > main | nav a | nav > a | nav > ul > li > a | ul ul | ul > li ul a | main article button | main > article | .cards > .card > .buy | .card span | .card > span
.menu .menu .link | .menu > .item > .link | header nav .badge | li > button > span | div div div | div div div div em | div > div > div > span > em | section * em | section > * > em
svg path | svg > path | svg > g > path | svg button | foreignObject button | foreignObject > div > .buy | button svg use | .card svg | .chart .buy | math > mrow > mi | table td | table > tr > td | table > tbody > tr > td
html > body > main > section > article > button > svg > g > path | * > * | * * * | body * | :root > body | :root * | html html | body body | main #frame | my-card button | .host .buy | .card .buy | #frame .buy
.frame > h2 > slot | my-inner .inner | .inner > .deep | .nested p | .menu .item | .menu > .item | ul.menu a.link | .host > b | my-card > .slotted | h2 .slotted | slot span | div.card > button[type=submit] > span
.Form .Field | .form .field | #MAIN .LEAD > b | #main svg path | .host .frame | form input | form > fieldset > label > input | fieldset[disabled] input | form button | form .btn.primary | #signup .btn | #signup > .btn
:root | html:root | body:root | :not(:root) | :first-child | :last-child | :only-child | :first-of-type | :last-of-type | :only-of-type | li:first-child | li:last-child | p:first-of-type | b:last-of-type | b:only-of-type | i:nth-of-type(2)
:nth-child(1) | :nth-child(2) | :nth-child(odd) | :nth-child(even) | :nth-child(2n+1) | :nth-child(2n) | :nth-child(3n-1) | :nth-child(-n+3) | :nth-child(n+4) | :nth-child(-2n+5) | :nth-child(0n+2) | :nth-child(n) | :nth-child(-n) | :nth-child(0) | :nth-child( 3N + 1 )
:nth-child(+3) | :nth-child(-3) | :nth-child(+2n-1) | :nth-child(-3n+10) | :nth-child(5n+20) | :nth-child(21) | :nth-child(25) | :nth-last-child(1) | :nth-last-child(2) | :nth-last-child(odd) | :nth-last-child(-n+2) | :nth-last-child(2n+3) | :nth-last-child(29)
li:nth-child(3) | li:nth-last-child(3n) | .steps li:nth-child(3n+2) | tr:nth-child(odd) td | td:nth-child(2) | dd:nth-of-type(2) | dd:nth-last-of-type(1) | dt:nth-of-type(2n) | p:nth-of-type(2) | div:nth-of-type(3) | .row:nth-of-type(5) | p.row:nth-last-of-type(4n+1) | :nth-last-of-type(2) | :nth-of-type(-n+2)
rect:nth-of-type(2) | svg > :nth-child(2) | g > :last-child | stop:first-child | slot:nth-of-type(1) | button:only-of-type | html:first-child | html:only-of-type | html:nth-last-child(1) | my-card:nth-of-type(2) | .frame:first-child | .frame:nth-child(2) | .nested:nth-last-child(2)
:not(div) | :not(.card) | :not([id]) | :not(a, button) | :not(:first-child) | :not(:not(.card)) | div:not([class]) | a:not([href^="http"]) | :not(:nth-child(2n)) | li:not(:last-child) a | :not(.menu .menu .link) | a:not(ul ul a) | :not(body *) | :not(body > *) | .card:not(.featured) .buy | button:not([disabled]):not(.btn)
:not(*) | *:not(html):not(body) | svg :not(g) | :not(svg *) | :not(.a\\b) | p:not(:only-child, .row) | :not(#main #card-1, #main .deep) | :not([class~=buy], [type=submit]) | input:not([type=radio]) | .item:not(.has-menu) > .link | :not(html, body, head, head *)
:is(h2, p) | :is(nav, footer) a | :is(.card, .frame) > button | :is(nav > ul, section) > * | :where(ul, ol) > li | :where(.menu .item) .link | a:is(.link, [rel]) | :is(a:first-child, b) | :is(:is(a, button):not(.btn)) | li:is(:first-child, :last-child) | :is(body > header, body > footer) :is(a, p) | :is(svg, math) *
:is(*) | :is(div div, span) | :where(:not(div)) > p | article:is(#card-1, #card-3):not(:first-child) | :is(.card > .buy, .inner > .buy) | :is(#main, #Main) > :is(p, a) | :not(:is(a, button)):nth-child(2) | :is([data-id="1"], [data-id="3"]) span
a, button | h1, h2 , h3 | .card, #nav, [role] | li:first-child, li:last-child | nav a, footer a | .nope, .none | .nope | #nope a | nope > * | .card .nope | :not(.nope)
:IS(h2) | :NOT(div) | :Nth-Child(2) | :ROOT | li:First-Child | [type=BUTTON I] | [data-kind=bar I] | /* c */ nav /* d */ > ul | nav/**/>ul | .link/**/.active | nav	ul
"""


def by_hand() -> list[str]:
    """Every selector above: one a line, or several with bars between; a bar inside brackets is an operator."""
    lines = [line.strip() for line in BY_HAND.splitlines() if line.strip()]
    return list(dict.fromkeys(each.strip(" ") for line in lines for each in line.split(" | ")))


def drawn(words: dict[str, Any], count: int, seed: int) -> list[str]:
    """Selectors of the whole grammar from the tags, ids, classes and attributes of pages, with near misses."""
    chance = random.Random(seed)

    def flipped(text: str) -> str:
        return text.swapcase() if chance.random() < 0.08 else text

    def condition(depth: int) -> str:
        kind = chance.randrange(10 if depth else 9)
        if kind < 3 and words["classes"]:
            return "." + escape_identifier(flipped(chance.choice(words["classes"])))
        if kind == 3:
            return "#" + escape_identifier(flipped(chance.choice(words["ids"])))
        if kind in (4, 5):
            return attribute()
        if kind in (6, 7):
            name = chance.choice(["nth-child", "nth-last-child", "nth-of-type", "nth-last-of-type"])
            step, offset = chance.randrange(-3, 4), chance.randrange(-2, 7)
            return f":{name}({step}n{offset:+d})" if chance.random() < 0.6 else f":{name}({offset})"
        if kind == 8:
            family = [
                "first-child",
                "last-child",
                "only-child",
                "first-of-type",
                "last-of-type",
                "only-of-type",
            ]
            return ":" + chance.choice([*family, "root"])
        inside = ", ".join(complex_(depth - 1) for _ in range(chance.randrange(1, 4)))
        return f":{chance.choice(['not', 'not', 'is', 'where'])}({inside})"

    def attribute() -> str:
        name, value = chance.choice(words["attributes"])
        name = escape_identifier(flipped(name))
        operator = chance.choice(["", "=", "~=", "|=", "^=", "$=", "*="])
        if not operator:
            return f"[{name}]"
        start = chance.randrange(len(value) + 1) if value else 0
        part = {"^=": value[:start], "$=": value[start:], "*=": value[start : start + 4]}.get(operator, value)
        if operator == "~=" and value.split():
            part = chance.choice(value.split())
        if operator == "|=":
            part = value.partition("-")[0]
        return f"[{name}{operator}{quote_string(flipped(part))}{chance.choice(['', '', ' i'])}]"

    def compound(depth: int) -> str:
        tag = flipped(chance.choice([*words["tags"], "*", "", "", ""]))
        conditions = "".join(condition(depth) for _ in range(chance.choice([0, 1, 1, 1, 2, 2, 3])))
        return (escape_identifier(tag) if tag != "*" else tag) + conditions or "*"

    def complex_(depth: int) -> str:
        text = compound(depth)
        for _ in range(chance.choice([0, 0, 0, 1, 1, 2])):
            text += chance.choice([" ", " ", " > "]) + compound(depth)
        return text

    return [", ".join(complex_(2) for _ in range(chance.choice([1, 1, 1, 2]))) for _ in range(count)]
