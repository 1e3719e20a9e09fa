"""What the page of steps says, in each language; it is read before any other page of ours can be."""

from __future__ import annotations

from typing import NamedTuple


class Words(NamedTuple):
    """The page in one language."""

    language: str
    title: str
    why: str
    take_profile: str
    take_certificate: str
    apple: tuple[str, ...]
    android: tuple[str, ...]
    computer: str
    computers: tuple[str, ...]
    compare: str
    compare_how: str
    done: str


WORDS = {
    "en": Words(
        language="en",
        title="Trust this Wattstead",
        why=(
            "Wattstead encrypts its pages with a certificate that this machine made itself. Tell your device once that "
            "you trust it; then pages open without a warning, and passkeys and installing as an app work. It vouches "
            "for this machine and for names of private networks only, never for sites of the internet."
        ),
        take_profile="Download the profile",
        take_certificate="Download the certificate",
        apple=(
            "Open this page in Safari, download the profile and allow it.",
            "Settings → Profile Downloaded → Install.",
            "Settings → General → About → Certificate Trust Settings: switch on this certificate.",
        ),
        android=(
            "Download the certificate.",
            "Settings → Security → More security settings → Encryption & credentials → Install a certificate → "
            "CA certificate.",
            "Choose Install anyway, then the file wattstead.crt.",
        ),
        computer="Computer",
        computers=(
            "Windows: open the file → Install certificate → Trusted Root Certification Authorities.",
            "macOS: open the file, then Keychain Access → the certificate → Trust → Always Trust.",
            "Linux: Chrome → Settings → Privacy and security → Security → Manage certificates → Authorities → Import.",
            "Firefox: Settings → Privacy & Security → View Certificates → Authorities → Import.",
        ),
        compare="Compare before you trust",
        compare_how=(
            "This page came without encryption. The SHA-256 fingerprint that your device shows must be the one that "
            "`wattstead check` prints on the machine itself:"
        ),
        done="Then go on here",
    ),
    "de": Words(
        language="de",
        title="Diesem Wattstead vertrauen",
        why=(
            "Wattstead verschlüsselt seine Seiten mit einem Zertifikat, das dieses Gerät selbst erstellt hat. "
            "Vertrauen Sie ihm einmal; dann öffnen sich die Seiten ohne Warnung, und Passkeys und das Installieren als "
            "App funktionieren. Es bürgt nur für dieses Gerät und für Namen privater Netze, nie für Seiten im Internet."
        ),
        take_profile="Profil laden",
        take_certificate="Zertifikat laden",
        apple=(
            "Diese Seite in Safari öffnen, das Profil laden und zulassen.",
            "Einstellungen → Profil geladen → Installieren.",
            "Einstellungen → Allgemein → Info → Zertifikatsvertrauenseinstellungen: dieses Zertifikat einschalten.",
        ),
        android=(
            "Das Zertifikat laden.",
            "Einstellungen → Sicherheit → Weitere Sicherheitseinstellungen → Verschlüsselung und Anmeldedaten → "
            "Zertifikat installieren → CA-Zertifikat.",
            "Trotzdem installieren wählen, dann die Datei wattstead.crt.",
        ),
        computer="Computer",
        computers=(
            "Windows: Datei öffnen → Zertifikat installieren → Vertrauenswürdige Stammzertifizierungsstellen.",
            "macOS: Datei öffnen, dann Schlüsselbundverwaltung → das Zertifikat → Vertrauen → Immer vertrauen.",
            "Linux: Chrome → Einstellungen → Datenschutz und Sicherheit → Sicherheit → Zertifikate verwalten → "
            "Zertifizierungsstellen → Importieren.",
            "Firefox: Einstellungen → Datenschutz & Sicherheit → Zertifikate anzeigen → Zertifizierungsstellen → "
            "Importieren.",
        ),
        compare="Vor dem Vertrauen vergleichen",
        compare_how=(
            "Diese Seite kam unverschlüsselt. Der SHA-256-Fingerabdruck, den Ihr Gerät zeigt, muss der sein, den "
            "`wattstead check` auf dem Gerät selbst ausgibt:"
        ),
        done="Danach geht es hier weiter",
    ),
    "fr": Words(
        language="fr",
        title="Faire confiance à ce Wattstead",
        why=(
            "Wattstead chiffre ses pages avec un certificat que cette machine a créé elle-même. Accordez-lui votre "
            "confiance une fois ; les pages s’ouvrent alors sans avertissement, et les clés d’accès et l’installation "
            "comme application fonctionnent. Il ne garantit que cette machine et les noms de réseaux privés, jamais "
            "des sites d’internet."
        ),
        take_profile="Télécharger le profil",
        take_certificate="Télécharger le certificat",
        apple=(
            "Ouvrez cette page dans Safari, téléchargez le profil et autorisez-le.",
            "Réglages → Profil téléchargé → Installer.",
            "Réglages → Général → Informations → Réglages de confiance des certificats : activez ce certificat.",
        ),
        android=(
            "Téléchargez le certificat.",
            "Paramètres → Sécurité → Autres paramètres de sécurité → Chiffrement et identifiants → Installer un "
            "certificat → Certificat CA.",
            "Choisissez Installer quand même, puis le fichier wattstead.crt.",
        ),
        computer="Ordinateur",
        computers=(
            "Windows : ouvrez le fichier → Installer un certificat → Autorités de certification racines de confiance.",
            "macOS : ouvrez le fichier, puis Trousseaux d’accès → le certificat → Se fier → Toujours approuver.",
            "Linux : Chrome → Paramètres → Confidentialité et sécurité → Sécurité → Gérer les certificats → "
            "Autorités → Importer.",
            "Firefox : Paramètres → Vie privée et sécurité → Afficher les certificats → Autorités → Importer.",
        ),
        compare="Comparez avant de faire confiance",
        compare_how=(
            "Cette page est arrivée sans chiffrement. L’empreinte SHA-256 que montre votre appareil doit être celle "
            "que `wattstead check` affiche sur la machine elle-même :"
        ),
        done="Continuez ensuite ici",
    ),
}
"""By language; each has the same fields and as many steps."""
