"""Personal data in a text, replaced by what it is: `_mail_`, `_phone_` and so on."""

from __future__ import annotations

import re
import unicodedata

MAIL, PHONE, IBAN, CARD = "_mail_", "_phone_", "_iban_", "_card_"
IP, IDENTIFIER, SECRET = "_ip_", "_id_", "_secret_"

# Digits of any script and the wide signs that stand in numbers and addresses, each one character
# for one, so that a number in them is seen as one. No more of NFKC than that: words are cited as
# they stand in the text.
_AS_ASCII = {
    point: str(unicodedata.digit(chr(point)))
    for point in range(0x80, 0x10000)
    if unicodedata.category(chr(point)) == "Nd"
} | {ord(sign): chr(ord(sign) - 0xFEE0) for sign in "＠．：／＋－＝？＃＆％＿（）＼"}
_NOT_ASCII = re.compile(f"[{''.join(map(chr, _AS_ASCII))}]")

_URL = re.compile(r"\b([a-z][a-z0-9+.-]{1,15}://)([^\s/?#]{1,500})([^\s?#]{0,1000})\S*", re.I)
_QUERY = re.compile(r"(?<=[\w/])\?[\w.-]{1,40}=\S*")
# Letters and digits of scripts that set blanks between words. In the others a number or an address
# touches the word beside it.
_LETTER = r"0-9A-Za-z_\u00c0-\u0dff\uac00-\ud7af\uff21-\uff3a\uff41-\uff5a"
_MAIL = re.compile(
    rf"[{_LETTER}.+%'-]{{1,64}}@[{_LETTER}-]{{1,63}}(?:\.[{_LETTER}-]{{1,63}}){{1,5}}"
)
_IBAN = re.compile(r"\b[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]{4}){2,7}(?:[ -]?[A-Za-z0-9]{1,3})?\b")
_FEWEST_IBAN_CHARACTERS, _FEWEST_IBAN_DIGITS = 15, 9
_IPV4 = re.compile(
    rf"(?<![{_LETTER}.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){{3}}"
    rf"(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![{_LETTER}]|\.\d)"
)
_IPV6 = re.compile(
    r"(?<![\w:])(?:(?:[0-9a-f]{1,4}:){5,7}[0-9a-f]{1,4}"
    r"|(?:[0-9a-f]{1,4}:){1,6}(?::[0-9a-f]{1,4}){1,6})(?![\w:])",
    re.IGNORECASE,
)
_CARD = re.compile(r"(?<![\d.])\d(?:[ -]?\d){12,60}(?!\d)")
_FEWEST_CARD_DIGITS, _USUAL_CARD_DIGITS, _MOST_CARD_DIGITS = 13, 16, 19
_MOST_CARD_GROUPS = 6
_DIGIT_RUN = re.compile(
    rf"(?<![{_LETTER}+-])(?:\+|\(|\+\()?\d(?:[ ().\-/]{{0,2}}\d){{6,22}}(?!-?[{_LETTER}])"
)
_DATE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}(?: \d{1,2})?")
_NORTH_AMERICAN = re.compile(r"(?:1[ .-])?\d{3}[ .-]\d{3}[ .-]\d{4}")
_SHORTEST_DIGIT_IDENTIFIER = 9
_DIGIT, _FIVE_DIGITS = re.compile("[0-9]"), re.compile("[0-9]{5}")
_FEWEST_IPV4_DIGITS, _FEWEST_PHONE_DIGITS = 4, 7
# Never given back what was taken: linear, however long it is.
_LONG_RUN = re.compile(r"\b[0-9A-Za-z](?:[0-9A-Za-z]|[-_](?=[0-9A-Za-z])){15,}+")
_PERSONNEL_NUMBER = re.compile(r"\b[A-Za-z]\d{5,8}\b")
_SHORTEST_TOKEN_IN_PATH = 10

# What stands before a login or a password, with a colon or an equals sign between.
_LOGIN_LABELS = (
    "user", "username", "user name", "user_name", "userid", "user id", "user-id", "user_id",
    "login", "login name", "login id", "logon", "logon name", "account", "upn", "sam", "uid",
    "benutzer", "benutzername", "benutzerkennung", "kennung", "anmeldename", "utilisateur",
    "identifiant", "usuario", "utente", "usuário", "gebruiker", "gebruikersnaam", "użytkownik",
    "brugernavn", "användarnamn", "uživatel", "логин", "пользователь", "用户", "用户名",
    "ユーザー", "ユーザー名", "사용자",
)  # fmt: skip
_PASSWORD_LABELS = (
    "password", "passwort", "passcode", "passphrase", "pass", "pwd", "pin", "kennwort",
    "zugangscode", "api key", "api-key", "api_key", "apikey", "secret", "token", "bearer",
    "mot de passe", "contraseña", "clave", "senha", "wachtwoord", "hasło", "heslo", "lösenord",
    "adgangskode", "пароль", "密码", "パスワード", "비밀번호",
)  # fmt: skip
_LONGEST_LABEL = 24
_SEPARATOR = re.compile("[:=]")
_LOGIN = re.compile(r"[ \t]{0,2}[\"'<]?([^\s\"'<>,;:=]{2,64})([\"'>]?[ \t]{0,3}(?:[,;\n]|\Z))?")
_PASSWORD = re.compile(r"[ \t]{0,2}[\"'<]?([^\s\"'<>]{4,200})")
_IS_LOGIN = re.compile(r"\d|\w[._]\w")
_IS_PASSWORD = re.compile(r"[\d!@#$%^&*?+~]")
_DOMAIN_LOGIN = re.compile(
    r"(?<![\\\w:/.-])((?!HK)[A-Z][A-Z0-9-]{1,14}\\)[A-Za-z][\w.-]{1,63}+(?!\\)"
    r"|(?<![\\\w:/.-])([A-Za-z][\w-]{1,14}\\)(?=[\w.-]{0,63}\d)[A-Za-z][\w-]{1,63}+(?![\\.])"
)
_HOME = re.compile(r"([\\/](?:users|home|benutzer|utilisateurs)[\\/])[^\\/\s\"'<>|*?:]{1,64}", re.I)


def masked(text: str) -> str:
    """The text with mail and IP addresses, phone, card and account numbers, logins, passwords and
    long identifiers replaced; addresses on the web lose credentials, query, fragment and tokens.

    Masked again it stays the same. A precaution for models and logs, not an anonymisation: names
    stay, and so does what identifies only in its context.
    """
    if not text.isascii():
        text = _plain(text)
    once = _once(text)
    return once if once == text else _once(once)


def _plain(text: str) -> str:
    # A letter and its accent as one character, or words would end between the two.
    text = unicodedata.normalize("NFC", text)
    return text.translate(_AS_ASCII) if _NOT_ASCII.search(text) else text


def _once(text: str) -> str:
    if "://" in text:
        text = _URL.sub(_masked_address, text)
    if "?" in text and "=" in text:
        text = _QUERY.sub("", text)
    if ":" in text or "=" in text:
        text = _without_logins(text)
    if "@" in text:
        text = _MAIL.sub(MAIL, text)
    if ":" in text:
        text = _IPV6.sub(IP, text)
    if "\\" in text:
        text = _DOMAIN_LOGIN.sub(rf"\1\2{IDENTIFIER}", text)
    if "\\" in text or "/" in text:
        text = _HOME.sub(rf"\1{IDENTIFIER}", text)
    return _masked_numbers(text)


def _masked_address(found: re.Match[str]) -> str:
    scheme, authority, path = found.groups()
    segments = [IDENTIFIER if _is_token(segment) else segment for segment in path.split("/")]
    return f"{scheme}{authority.rpartition('@')[2]}{'/'.join(segments)}"


def _is_token(segment: str) -> bool:
    """Letters and digits mixed, at a length that no word and no version has."""
    return (
        len(segment) >= _SHORTEST_TOKEN_IN_PATH
        and any(character.isdigit() for character in segment)
        and any(character.isalpha() for character in segment)
        and segment.replace("_", "").replace("=", "").isalnum()
    )


def _without_logins(text: str) -> str:
    """Without the values of what is labelled as a login or a password.

    A value of letters alone is a login only where nothing follows it: "User: cannot print" names
    nobody.
    """
    kept: list[str] = []
    done = 0
    for separator in _SEPARATOR.finditer(text):
        at = separator.start()
        if at < done:
            continue
        before = text[max(0, at - _LONGEST_LABEL) : at].rstrip(" \t\"'").lower()
        if before.endswith(_PASSWORD_LABELS) and _is_word(before, _PASSWORD_LABELS):
            value = _PASSWORD.match(text, separator.end())
            is_one = value is not None and _IS_PASSWORD.search(value[1]) is not None
            mask = SECRET
        elif before.endswith(_LOGIN_LABELS) and _is_word(before, _LOGIN_LABELS):
            value = _LOGIN.match(text, separator.end())
            is_one = value is not None and bool(_IS_LOGIN.search(value[1]) or value[2] is not None)
            mask = IDENTIFIER
        else:
            continue
        if value is not None and is_one:
            kept += [text[done : value.start(1)], mask]
            done = value.end(1)
    return "".join([*kept, text[done:]]) if kept else text


def _is_word(before: str, labels: tuple[str, ...]) -> bool:
    """Whether one of the labels at its end begins a word there."""
    for label in labels:
        if before.endswith(label):
            start = len(before) - len(label)
            if start == 0 or not before[start - 1].isalnum():
                return True
    return False


# --- Numbers --------------------------------------------------------------------------------


def _masked_numbers(text: str) -> str:
    digits = len(_DIGIT.findall(text))
    if digits >= _FEWEST_IBAN_DIGITS:
        text = _IBAN.sub(_masked_iban, text)
    if digits >= _FEWEST_IPV4_DIGITS:
        text = _IPV4.sub(IP, text)
    if digits >= _FEWEST_CARD_DIGITS:
        text = _CARD.sub(_masked_card, text)
    if digits >= _FEWEST_PHONE_DIGITS:
        text = _DIGIT_RUN.sub(_masked_digits, text)
    if _FIVE_DIGITS.search(text):
        text = _PERSONNEL_NUMBER.sub(IDENTIFIER, text)
    return _LONG_RUN.sub(_masked_run, text) if digits else text


def _masked_iban(found: re.Match[str]) -> str:
    """With a wrong check digit too, as long as it is written as one: people mistype."""
    written = found.group()
    bare = "".join(character for character in written.upper() if character.isalnum())
    if len(bare) < _FEWEST_IBAN_CHARACTERS:
        return written
    digits = sum(character.isdecimal() for character in bare)
    is_written_as_one = written.upper() == written and digits >= _FEWEST_IBAN_DIGITS
    return IBAN if is_written_as_one or _passes_mod_97(bare) else written


def _masked_card(run: re.Match[str]) -> str:
    """A card number may stand between other numbers: any of its groups may be the first."""
    groups = re.split(r"([ -])", run.group())
    fitting = []
    for first in range(0, len(groups), 2):
        for end in range(first + 1, min(first + 2 * _MOST_CARD_GROUPS, len(groups) + 1), 2):
            digits = "".join(groups[first:end:2])
            if len(digits) > _MOST_CARD_DIGITS:
                break
            if len(digits) >= _FEWEST_CARD_DIGITS and digits[0] in "3456" and _passes_luhn(digits):
                fitting.append((len(digits) == _USUAL_CARD_DIGITS, len(digits), first, end))
    if not fitting:
        return run.group()
    *_, first, end = max(fitting)
    return "".join([*groups[:first], CARD, _CARD.sub(_masked_card, "".join(groups[end:]))])


def _masked_digits(run: re.Match[str]) -> str:
    written = run.group()
    digits = "".join(character for character in written if character.isdecimal())
    if _FEWEST_CARD_DIGITS <= len(digits) <= _MOST_CARD_DIGITS and _passes_luhn(digits):
        return CARD
    if written.isdecimal() and len(digits) >= _SHORTEST_DIGIT_IDENTIFIER and digits[0] != "0":
        return IDENTIFIER
    if _DATE.fullmatch(written):
        return written
    if written[0] in "+(0" or _NORTH_AMERICAN.fullmatch(written):
        return PHONE
    return written


def _masked_run(found: re.Match[str]) -> str:
    """An identifier has digits in half of its parts; `Windows-Server-2019` has them in one."""
    parts = re.split("[-_]", found.group())
    with_digits = sum(any(character.isdecimal() for character in part) for part in parts)
    return IDENTIFIER if 2 * with_digits >= len(parts) else found.group()


def _passes_luhn(digits: str) -> bool:
    doubled = [2 * digit - 9 if digit > 4 else 2 * digit for digit in map(int, digits[-2::-2])]
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0


def _passes_mod_97(bare: str) -> bool:
    return int("".join(str(int(character, 36)) for character in bare[4:] + bare[:4])) % 97 == 1
