"""What is known of the world: providers of free mail, role mailboxes, legal forms of companies."""

from __future__ import annotations

_FREE_MAIL = (
    "gmail.com googlemail.com outlook.com outlook.de outlook.fr outlook.es outlook.it hotmail.com"
    " hotmail.co.uk hotmail.de hotmail.fr hotmail.it hotmail.es live.com live.co.uk live.de live.fr live.nl"
    " live.it live.ca msn.com passport.com yahoo.com yahoo.co.uk yahoo.de yahoo.fr yahoo.it yahoo.es"
    " yahoo.ca yahoo.in yahoo.co.in yahoo.co.jp yahoo.com.br yahoo.com.au yahoo.com.mx yahoo.com.ar"
    " yahoo.gr yahoo.pl ymail.com rocketmail.com aol.com aim.com icloud.com me.com mac.com"
    " proton.me protonmail.com protonmail.ch pm.me tutanota.com tutanota.de tuta.io tuta.com fastmail.com"
    " fastmail.fm hey.com zoho.com zohomail.com mail.com email.com usa.com gmx.com gmx.de gmx.net gmx.at"
    " gmx.ch gmx.us web.de freenet.de t-online.de arcor.de posteo.de mailbox.org bluewin.ch hispeed.ch"
    " aon.at chello.at orange.fr wanadoo.fr free.fr laposte.net sfr.fr neuf.fr libero.it virgilio.it"
    " tiscali.it alice.it tin.it telefonica.net terra.es ziggo.nl kpnmail.nl planet.nl hetnet.nl home.nl"
    " xs4all.nl skynet.be telenet.be btinternet.com btopenworld.com sky.com talktalk.net virginmedia.com"
    " ntlworld.com blueyonder.co.uk comcast.net verizon.net att.net sbcglobal.net bellsouth.net cox.net"
    " charter.net earthlink.net optonline.net rogers.com shaw.ca sympatico.ca bigpond.com optusnet.com.au"
    " xtra.co.nz mail.ru inbox.ru list.ru bk.ru internet.ru yandex.ru yandex.com yandex.ua yandex.by"
    " yandex.kz ya.ru rambler.ru lenta.ru ukr.net i.ua meta.ua bigmir.net email.ua tut.by wp.pl o2.pl"
    " onet.pl op.pl interia.pl gazeta.pl tlen.pl seznam.cz email.cz centrum.cz post.cz azet.sk zoznam.sk"
    " centrum.sk freemail.hu citromail.hu abv.bg mail.bg inbox.lv inbox.lt mail.ee online.no telia.com"
    " spray.se qq.com 163.com 126.com sina.com sina.cn sohu.com foxmail.com aliyun.com naver.com daum.net"
    " hanmail.net docomo.ne.jp ezweb.ne.jp softbank.ne.jp rediffmail.com uol.com.br bol.com.br"
    " terra.com.br ig.com.br hushmail.com mailinator.com guerrillamail.com yopmail.com 10minutemail.com"
    " privaterelay.appleid.com duck.com mozmail.com relay.firefox.com simplelogin.com"
)

_ROLE_MAILBOXES = (
    "abuse accounting accounts accountspayable admin administrator admissions ap ar billing board booking"
    " bookings buchhaltung bureau careers compras contabilidad contabilita contact contacto contact-us"
    " contactus contato customercare customerservice datenschutz dir direccion direction donotreply"
    " do-not-reply no-reply noreply no_reply dpo editor einkauf enquiries enquiry events feedback finance"
    " frontdesk general hallo hello help helpdesk hi hostmaster hr info informacion information inquiries"
    " invoice invoices it itsupport jobs kontakt kundenservice kundendienst legal mail mailer-daemon"
    " management manager marketing media newsletter office ops order orders personal post postmaster pr"
    " presse press privacy procurement purchasing rechnung reception recruiting recruitment redaktion"
    " rezeption root sales sekretariat security service services shop staff subscribe support team"
    " technik unsubscribe verkauf ventas vertrieb web webmaster welcome zentrale"
)

_LEGAL_FORMS = (
    "ab ad ae ag ao aps as asa bhd bv bvba cc co company coop corp corporation cv cvba cyf dd doo ead eg"
    " ehf ek ei eirl ev eood epe fop fze fzco gbr ges gesmbh ggmbh gie gk gmbh gmbhco hf inc incorporated"
    " ip jsc kd kft kg kgaa kk ks kv lda limited limitada llc lllp llp lp ltd ltda mbh nv nyrt oao od odoo"
    " oe ohg ojsc ood ooo oy oyj pao partg pe pjsc plc pp prat prp pte pty pvt rt sa sab sae sal sapi sarl"
    " sas sasu sc sca scs se sia sicav sl slu snc spa spj spk spolka spzoo spol spolsro srl sro sti stiftung"
    " tapui tov tovarystvo tzov uab ug uk vof vos wll yk zao zat zrt akciova spolecnost"
)

FREE_MAIL = frozenset(_FREE_MAIL.split())
ROLE_MAILBOXES = frozenset(_ROLE_MAILBOXES.split())
LEGAL_FORMS = frozenset(_LEGAL_FORMS.split())
"""In Latin letters and without dots. Left out at either end of a company's name."""

LEGAL_PHRASES = (
    "spolka z ograniczona odpowiedzialnoscia",
    "gesellschaft mit beschrankter haftung",
    "obshchestvo s ogranichennoy otvetstvennostyu",
    "tovarystvo z obmezhenoyu vidpovidalnistyu",
    "sociedad anonima de capital variable",
    "sociedad de responsabilidad limitada",
    "societa a responsabilita limitata",
    "societe a responsabilite limitee",
    "unternehmergesellschaft haftungsbeschrankt",
    "ug haftungsbeschrankt",
    "public limited company",
    "private limited",
    "sociedad anonima",
    "societe anonyme",
    "aktiengesellschaft",
    "sp z oo",
    "sp z o o",
    "spol s r o",
    "spol s ro",
    "s r o",
    "d o o",
    "sa de cv",
    "besloten vennootschap",
    "naamloze vennootschap",
)

PLUS_MAIL = {
    "outlook.com": "outlook.com",
    "hotmail.com": "hotmail.com",
    "live.com": "live.com",
    "msn.com": "msn.com",
    "icloud.com": "icloud.com",
    "me.com": "icloud.com",
    "mac.com": "icloud.com",
    "fastmail.com": "fastmail.com",
    "fastmail.fm": "fastmail.com",
    "proton.me": "proton.me",
    "protonmail.com": "proton.me",
    "protonmail.ch": "proton.me",
    "pm.me": "proton.me",
    "gmail.com": "gmail.com",
    "googlemail.com": "gmail.com",
    "yandex.ru": "yandex.ru",
    "yandex.com": "yandex.ru",
    "yandex.ua": "yandex.ru",
    "yandex.by": "yandex.ru",
    "yandex.kz": "yandex.ru",
    "ya.ru": "yandex.ru",
    "zoho.com": "zoho.com",
    "posteo.de": "posteo.de",
    "mailbox.org": "mailbox.org",
}
"""Providers where everything from `+` on reaches the same mailbox, and the name of that mailbox's domain."""

DOTLESS_MAIL = frozenset({"gmail.com"})
"""Providers that do not see dots in the local part."""

DOTS_ARE_DASHES = frozenset({"yandex.ru"})
