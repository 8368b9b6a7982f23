"""Tickets as mails bring them, in the languages people write them in."""

from __future__ import annotations

import pytest

from triage.learning import replies
from triage.learning.text import document

MAILS = {
    "German": (
        "Der Scanner im dritten Stock zieht kein Papier mehr ein.\n"
        "\n"
        "Mit freundlichen Grüßen\n"
        "Karin Vogt\n"
        "Einkauf\n"
        "\n"
        "Am 12.03.2026 um 09:14 schrieb Service Desk <desk@firma.example>:\n"
        "> Haben Sie ihn neu gestartet?"
    ),
    "French": (
        "L'imprimante du deuxième étage affiche une erreur de bourrage.\n"
        "\n"
        "Cordialement,\n"
        "Lucie Martin\n"
        "\n"
        "Le lun. 2 mars 2026 à 10:12, Support <aide@societe.example> a écrit :\n"
        "> Bonjour"
    ),
    "French, forwarded": (
        "Le VPN se coupe toutes les heures.\n"
        "\n"
        "De : Support <aide@societe.example>\n"
        "Envoyé : lundi 2 mars 2026\n"
        "À : Lucie Martin\n"
        "Objet : RE: VPN\n"
        "\n"
        "Bonjour Lucie"
    ),
    "Spanish": (
        "La pantalla del portátil parpadea desde ayer.\n"
        "\n"
        "Un saludo,\n"
        "Ana Ruiz\n"
        "\n"
        "El lun, 2 mar 2026 a las 10:12, Soporte (<ayuda@empresa.example>) escribió:\n"
        "> Hola Ana"
    ),
    "Italian": (
        "La tastiera non risponde dopo l'aggiornamento.\n"
        "\n"
        "Cordiali saluti\n"
        "Marco Bianchi\n"
        "\n"
        "Il giorno lun 2 mar 2026 alle ore 10:12 Assistenza <aiuto@ditta.example> ha scritto:\n"
        "> Ciao"
    ),
    "Dutch": (
        "De beamer in zaal vier geeft geen beeld.\n"
        "\n"
        "Met vriendelijke groet,\n"
        "Pieter de Boer\n"
        "\n"
        "Op ma 2 mrt 2026 om 10:12 schreef Servicedesk <hulp@bedrijf.example>:\n"
        "> Beste Pieter"
    ),
    "Portuguese": (
        "O leitor de cartões da portaria não reconhece os crachás.\n"
        "\n"
        "Atenciosamente,\n"
        "Rita Lopes\n"
        "\n"
        "Em seg., 2 de mar. de 2026 às 10:12, Suporte <ajuda@empresa.example> escreveu:\n"
        "> Bom dia"
    ),
    "Polish": (
        "Drukarka na drugim piętrze drukuje puste strony.\n"
        "\n"
        "Pozdrawiam\n"
        "Anna Nowak\n"
        "\n"
        "Dnia 2 marca 2026 10:12 Pomoc <pomoc@firma.example> napisał(a):\n"
        "> Dzień dobry"
    ),
    "Polish, forwarded": (
        "Nie mogę otworzyć udziału sieciowego.\n"
        "\n"
        "Od: Pomoc\n"
        "Wysłano: poniedziałek\n"
        "Do: Anna\n"
        "Temat: RE: udział\n"
        "\n"
        "Dzień dobry"
    ),
    "Czech": (
        "Monitor po připojení doku bliká.\n"
        "\n"
        "S pozdravem,\n"
        "Jan Novák\n"
        "\n"
        "Dne 2. 3. 2026 v 10:12 Podpora <pomoc@firma.example> napsal(a):\n"
        "> Dobrý den"
    ),
    "Danish": (
        "Skærmen bliver sort når jeg åbner økonomisystemet.\n"
        "\n"
        "Med venlig hilsen\n"
        "Mette Holm\n"
        "\n"
        "Den man. 2. mar. 2026 kl. 10.12 skrev Support <hjaelp@firma.example>:\n"
        "> Hej"
    ),
    "Swedish": (
        "Skrivaren på plan tre matar inte papper.\n"
        "\n"
        "Med vänliga hälsningar\n"
        "Eva Lind\n"
        "\n"
        "Den mån 2 mars 2026 kl 10:12 skrev Support <hjalp@foretag.example>:\n"
        "> Hej"
    ),
    "Russian": (
        "Принтер на третьем этаже не печатает.\n"
        "\n"
        "С уважением,\n"
        "Ирина Петрова\n"
        "\n"
        "2 марта 2026 г., 10:12, Поддержка <help@firma.example> написал(а):\n"
        "> Добрый день"
    ),
    "Chinese": (
        "三楼的打印机一直卡纸，重启也没有用。\n"
        "\n"
        "谢谢！\n"
        "王芳\n"
        "\n"
        "2026年3月2日 10:12，服务台 <help@gongsi.example> 写道：\n"
        "> 您好"
    ),
    "Japanese": (
        "三階のプリンターで紙詰まりが続いています。\n"
        "\n"
        "よろしくお願いします。\n"
        "田中\n"
        "\n"
        "2026年3月2日(月) 10:12 サポート <help@kaisha.example>:\n"
        "> こんにちは"
    ),
    "Korean": (
        "3층 프린터에서 용지가 계속 걸립니다.\n"
        "\n"
        "감사합니다.\n"
        "김민수\n"
        "\n"
        "2026년 3월 2일 (월) 10:12, 지원팀 <help@hoesa.example>님이 작성하였습니다:\n"
        "> 안녕하세요"
    ),
    "Arabic": ("الطابعة في الطابق الثالث لا تعمل منذ الصباح.\n\n> مرحبا"),
    "Hebrew": ("המדפסת בקומה השלישית מדפיסה דפים ריקים.\n\n-- \nדנה"),
}


@pytest.mark.parametrize("language", MAILS)
def test_only_the_newest_message_is_left_without_its_signature(language: str) -> None:
    mail = MAILS[language]
    message = mail.partition("\n")[0]

    assert document("", mail) == message


@pytest.mark.parametrize(
    ("body", "left"),
    [
        (
            "The badge reader at gate 2 is dead.\n\nThis e-mail and any attachments are"
            " confidential and intended solely for the addressee.\nIf it is not for you, delete"
            " it.",
            "The badge reader at gate 2 is dead.",
        ),
        (
            "CAUTION: This email originated from outside of the organization. Do not click links."
            "\n\nThe badge reader at gate 2 is dead.",
            "The badge reader at gate 2 is dead.",
        ),
        (
            "Der Leser am Tor ist seit heute tot.\n\nDiese E-Mail kann vertrauliche Informationen"
            " enthalten.\nWenn sie nicht für Sie ist, löschen Sie sie.",
            "Der Leser am Tor ist seit heute tot.",
        ),
        (
            "Le lecteur de badges est en panne.\n\nCe message et ses pièces jointes sont"
            " confidentiels et destinés à leur seul destinataire.",
            "Le lecteur de badges est en panne.",
        ),
        (
            "El lector de tarjetas no funciona.\n\nEste mensaje puede contener información"
            " confidencial.",
            "El lector de tarjetas no funciona.",
        ),
    ],
)
def test_disclaimers_are_cut(body: str, left: str) -> None:
    assert document("", body) == left


@pytest.mark.parametrize(
    "body",
    [
        # Begins as closings of other languages do.
        "Merci de regarder ceci\nTake a look at the screen\nDo: restart\nData: 5 GB left",
        "/etc/hosts is wrong\n/var is full\nMvhost says so",
        "This mailbox rule leaks confidential files to everybody, please stop it",
        "This message appears on my screen:\n\naccess denied, see your administrator",
        "El proxy escribió: acceso denegado",
        "请看附件，谢谢你们昨天的帮助，但打印机又坏了",
    ],
)
def test_what_only_looks_like_a_closing_stays(body: str) -> None:
    assert document("", body) == body


def test_a_ticket_without_any_mark_is_not_read_by_the_parser() -> None:
    assert not replies.may_be_in("The printer on floor 3 jams.\nIt says error 13.A1: call service.")


def test_no_more_than_three_languages_beside_english_are_tried() -> None:
    marks = "schrieb escribió cordialement napisał skrev 写道\n> a b c"
    assert len(replies._languages(marks)) == 4
