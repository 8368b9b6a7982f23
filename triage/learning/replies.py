"""Where the newest message of a mail ends: before replies, signatures and disclaimers.

The patterns are those of mail-parser-reply, for the languages whose marks a text shows: some of
them are a word as short as `Tak` or `Do:`, which in another language cuts what it should not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from mailparser_reply.constants import QUOTED_MATCH_INCLUDE
from mailparser_reply.parser import EmailMessage

# What a language is known by, in small letters: who wrote, who greets, what it was sent from.
_MARKS: Mapping[str, tuple[str, ...]] = {
    "de": ("schrieb", "grüße", "gruesse", "grüsse", "gruß", "gruss", "gesendet", "von:",
           "hinweis:", "achtung:"),
    "es": ("escribió", "saludo", "atentamente", "gracias,", "cordialmente,", "enviado desde",
           "enviado:", "aviso:", "confidencialidad:", "advertencia:"),
    "fr": ("a écrit", "cordialement", "salutations", "bonne journée", "bonne réception",
           "envoyé", "bien à vous", "merci d'avance,", "merci,"),
    "it": ("ha scritto", "cordiali saluti", "distinti saluti", "saluti,", "grazie,", "inviato"),
    "nl": ("schreef", "vriendelijke groet", "hartelijke groet", "bedankt,", "dank u,",
           "verzonden", "waarschuwing:"),
    "pt": ("escreveu", "atenciosamente", "cumprimentos", "obrigad", "enviado"),
    "pl": ("napisał", "nadesłał", "z poważaniem", "z powazaniem", "pozdrawiam", "wysłan",
           "uwaga:"),
    "cs": ("napsal", "s pozdravem", "s úctou", "děkuji", "děkujeme", "odesláno", "upozornění:"),
    "da": ("skrev", "hilsen", "hilsner", "mvh", "sendt", "advarsel:", "bemærk:"),
    "sv": ("skrev", "hälsning", "mvh", "skickat", "varning:", "observera:"),
    "ru": ("пишет:", "написал", "с уважением", "отправлено", "отправитель:", "спасибо,"),
    "zh": ("写道", "发件人", "此致", "敬礼", "谢谢", "祝好", "发送", "免责声明"),
    "ja": ("年", "差出人", "よろしくお願い", "以上", "送信"),
    "ko": ("작성", "보낸", "감사합니다", "고맙습니다", "에서 보냄"),
}  # fmt: skip
# A text that shows the marks of more languages has them by chance or by malice.
_MOST_LANGUAGES = 3
_HEADER = (
    rf"((?:(?:^|\n|\n{QUOTED_MATCH_INCLUDE})[* ]*(?:%s):[ *]*(?:\s{{,2}}).*){{2,}}(?:\n.*){{,1}})"
)
# What the library lacks, or has in a form that cuts too much: one line `Do:` for Polish, `Tak`
# that also begins `Take`, and for Swedish every line that begins with a path.
_OWN: Mapping[str, Mapping[str, str | list[str]]] = {
    "fr": {
        "signatures": ["cordialement", "bien cordialement", "salutations", "bonne r[ée]ception",
                       "bonne journ[ée]e", "bien à vous", "merci d'avance,", "merci,"],
        "from_header": _HEADER % r"(?:De|Envoy[ée]|À|A|Objet|Date|Cc)[ \xa0]?",
        "disclaimers": ["Avertissement ?:", "Attention ?:"],
    },
    "it": {"signatures": ["Cordiali saluti", "Distinti saluti", "Saluti,", "Grazie,"]},
    "pt": {
        "wrote_header": rf"^({QUOTED_MATCH_INCLUDE}(?:Em|No dia)\s.+?escreveu:)$",
        "from_header": _HEADER % "De|Enviad[ao](?: em)?|Para|Assunto|Data|Cc",
        "signatures": ["Atenciosamente", "Cumprimentos", "(?:Com os )?melhores cumprimentos",
                       "Muito obrigad[oa]", "Obrigad[oa],"],
        "sent_from": r"Enviado d[oe] (?:meu )?.*",
        "disclaimers": ["Aviso:", "Confidencialidade:"],
    },
    "pl": {"from_header": _HEADER % "Od|Wysłan[oy]|Wysłano|Do|Temat|Data|DW"},
    "da": {
        "signatures": ["Med venlig hilsen", "Venlig hilsen", "Hilsen", r"Mvh\b", r"Dbh\b",
                       "(?:De )?bedste hilsner", "På forhånd tak", r"Tak,"],
    },
    "sv": {
        "wrote_header": rf"^({QUOTED_MATCH_INCLUDE}(?:Den\s|[0-9]).+?\sskrev\s.+?:)$",
        "signatures": ["Med vänlig(?:a)? hälsning(?:ar)?", "Vänliga hälsningar", "Hälsningar",
                       "Bästa hälsningar", r"Mvh\b"],
    },
    "ru": {
        "wrote_header": rf"^({QUOTED_MATCH_INCLUDE}.{{,120}}(?:пишет|написала?|написал\(а\)):)$",
        "from_header": _HEADER % "От|Отправитель|Отправлено|Кому|Тема|Дата|Копия",
        "signatures": ["С уважением", "Спасибо,", "Заранее спасибо"],
        "sent_from": "Отправлено с(?: моего)?|Отправлено из",
        "disclaimers": ["Внимание:"],
    },
    "zh": {
        "signatures": ["此致", "敬礼", "谢谢[，。！]?$", "谢谢您的关注", "祝好"],
    },
    "ja": {
        "signatures": [
            "(?:以上、?)?(?:何卒)?(?:どうぞ)?よろしくお願い(?:いた|致)?します[。]?$", "以上$",
        ],
        "from_header": _HEADER
        % "差出人|送信日時|送信者|宛先|件名|日時|From|Sent|To|Subject|Date|Cc",
        "sent_from": "iPhoneから送信",
    },
}  # fmt: skip

# How lines begin that end a message, in any of the languages.
_LINE = re.compile(
    r"^[ \t*]{0,8}(?:>|-{2}|_{2}|(?:from|von|de|da|van|od|fra|från|от|отправитель|发件人|差出人"
    r"|보낸 ?사람)[ \xa0*]{0,2}[:：]|sent from|get outlook|best\b|kind regards|all the best|regards"
    r"|thanks,|thank you,|mit freundlichen|(?:beste|liebe|viele)n? gr|gr(?:ü|ue)(?:ß|ss)"
    r"|gru(?:ß|ss)"
    r"|gesendet von|saludos|un saludo|atentamente|(?:muchas )?gracias|cordialmente|enviado d"
    r"|(?:bien )?cordialement|salutations|bonne (?:journ|r)|bien à vous|merci|envoyé de|cordiali"
    r"|distinti|saluti|grazie|inviato da|met vriend|hartelijke|bedankt|dank u|verzonden"
    r"|atenciosamente|(?:com )?(?:os )?(?:melhores )?cumprimentos|(?:muito )?obrigad|z powa"
    r"|pozdrawiam|w przypadku|wysłano|s pozdravem|s úctou|děkuj|s přáním|odesláno|med v|venlig"
    r"|hilsen|mvh|dbh|(?:de )?bedste|på forh|tak,|sendt fra|hent outlook|vänliga|hälsn|bästa"
    r"|skickat|с уважением|(?:заранее )?спасибо|отправлено|此致|敬礼|谢谢|祝好|从我的|以上"
    r"|(?:何卒)?(?:どうぞ)?よろしく|iphoneから|감사|안부|좋은 하루|고맙|내 )",
    re.IGNORECASE | re.MULTILINE,
)
# Who wrote what follows: the line ends with a colon.
_WROTE = ("wrote", "schrieb", "escribió", "a écrit", "ha scritto", "schreef", "escreveu", "napisał",
          "nadesłał", "napsal", "skrev", "пишет", "написал", "写道", "작성", ">:")  # fmt: skip
# The parser and the pattern below find a disclaimer by its speaking of mail or message.
_DISCLAIMER = ("disclaimer", "caution:", "warning:", "confiden", "hinweis:", "achtung:",
               "vertraulich", "aviso:", "advertencia:", "avertissement", "waarschuwing:",
               "vertrouwelijk", "riservat", "uwaga:", "poufn", "upozornění:", "důvěrn", "advarsel:",
               "fortrolig", "varning:", "konfiden", "внимание:", "privileged",
               "intended", "notice:", "免责", "注意：", "重要信息", "면책")  # fmt: skip
_OF_MAIL = ("mail", "messag", "mensa", "nachricht", "bericht", "besked", "meddelande", "wiadomo",
            "zpráv")  # fmt: skip

# The parser's patterns take quadratic time in the length of a line.
_LONGEST_LINE = 200
_LONG_LINE = re.compile(rf"([^\n]{{{_LONGEST_LINE - 40},{_LONGEST_LINE}}}?)[ \t](?=[^\n])")
_HARD_LINE = re.compile(rf"([^\n]{{{_LONGEST_LINE * 2}}})(?=[^\n])")
_BLANK_LINES = re.compile(r"\n\s*\n")
# "Thanks, the printer on floor 3 is broken" opens a message and closes none.
_LONGEST_CLOSING_WORDS = 6

# A paragraph that says of the mail itself that it is confidential, without a heading before it.
_OF_THIS_MAIL = re.compile(
    r"(?:^|\n[ \t]*\n)[ \t*]*(?:the (?:information|contents?)[^\n]{0,40}|(?:this|diese|ce|cet"
    r"|este?|esta|questo|questa|deze|dit|denne|detta|niniejsza|tato)\s(?:[\w'’-]{1,16}\s){0,2}?"
    r"(?:e-?mails?|mail|message|mensaje|mensagem|messaggio|nachricht|bericht|besked"
    r"|meddelande|wiadomość|zpráva)\b)(?:[^\n]|\n(?![ \t]*\n))*",
    re.IGNORECASE,
)
_CONFIDENTIAL = re.compile(
    r"confiden|vertraulich|riservat|vertrouwelijk|fortrolig|konfiden|poufn|důvěrn|privileged"
    r"|intended (?:only|solely)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Message:
    """A message without the replies below it: with and without its signature."""

    whole: str
    unsigned: str


def may_be_in(body: str) -> bool:
    """Whether there may be something to cut; many times as fast as looking for it."""
    if _LINE.search(body):
        return True
    lowered = body.lower()
    if (":\n" in body or body.endswith(":")) and any(word in lowered for word in _WROTE):
        return True
    return any(word in lowered for word in _OF_MAIL) and any(
        word in lowered for word in _DISCLAIMER
    )


def first(body: str) -> Message:
    """The newest message of a mail; lines longer than 200 characters are broken."""
    narrow = _HARD_LINE.sub(r"\1\n", _LONG_LINE.sub(r"\1\n", _BLANK_LINES.sub("\n\n", body)))
    # Hyphen lists stay: in tickets they are steps and symptoms far more often than a name.
    languages = _languages(body)
    mail = EmailMessage(text=narrow, languages=list(languages), keep_hyphen_lists=True)
    mail._header_regex, mail._disclaimers_regex, mail._signature_regex = _patterns(languages)
    reply = mail.read().replies[0]
    whole = reply.full_body
    for disclaimer in reply.disclaimers:
        whole = whole.replace(disclaimer, "")
    if _CONFIDENTIAL.search(whole):
        whole = _OF_THIS_MAIL.sub(_unless_it_says_more, whole)
    closing = reply.signatures.partition("\n")[0]
    is_closing = reply.signatures and len(closing.split()) <= _LONGEST_CLOSING_WORDS
    return Message(whole, whole.replace(reply.signatures, "") if is_closing else whole)


def _languages(body: str) -> tuple[str, ...]:
    lowered = body.lower()
    shown = [code for code, marks in _MARKS.items() if any(mark in lowered for mark in marks)]
    return ("en", *shown[:_MOST_LANGUAGES])


@lru_cache(128)
def _patterns(languages: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    """For headers, disclaimers and signatures; the parser would make them anew for each mail."""
    mail = _Mail(text="", languages=list(languages), keep_hyphen_lists=True)
    return mail.HEADER_REGEX, mail.DISCLAIMERS_REGEX, mail.SIGNATURE_REGEX


class _Mail(EmailMessage):  # type: ignore[misc]
    def _get_language_regex(self, language: str, regex_key: str) -> str:
        own = _OWN.get(language, {}).get(regex_key)
        if own is None:
            found: str = super()._get_language_regex(language, regex_key)
            return found
        return own if isinstance(own, str) else "|".join(own)


def _unless_it_says_more(found: re.Match[str]) -> str:
    return "" if _CONFIDENTIAL.search(found.group()) else found.group()
