"""Languages by the codes that media files know them by (ISO 639-2/T), and the other codes for the same."""

from __future__ import annotations

from collections.abc import Mapping

# ISO 639-1, and where it differs ISO 639-2/B, of the languages that films come in.
_CODES = (
    "ar ara", "bg bul", "bn ben", "ca cat", "cs ces cze", "cy cym wel", "da dan", "de deu ger", "el ell gre",
    "en eng", "es spa", "et est", "eu eus baq", "fa fas per", "fi fin", "fr fra fre", "ga gle", "gl glg", "he heb",
    "hi hin", "hr hrv", "hu hun", "hy hye arm", "id ind", "is isl ice", "it ita", "ja jpn", "ka kat geo", "kk kaz",
    "ko kor", "lt lit", "lv lav", "mk mkd mac", "ms msa may", "nb nob", "nl nld dut", "nn nno", "no nor", "pl pol",
    "pt por", "ro ron rum", "ru rus", "sk slk slo", "sl slv", "sq sqi alb", "sr srp", "sv swe", "ta tam", "te tel",
    "th tha", "tr tur", "uk ukr", "ur urd", "uz uzb", "vi vie", "zh zho chi",
)  # fmt: skip

_KNOWN: Mapping[str, str] = {
    code: codes.split()[1] for codes in _CODES for code in codes.split() if code != codes.split()[1]
}

_OLD: Mapping[str, str] = {codes.split()[1]: codes.split()[-1] for codes in _CODES if " " in codes}


# In the order of the codes above.
_NAMES = (
    "Arabic", "Bulgarian", "Bengali", "Catalan", "Czech", "Welsh", "Danish", "German", "Greek",
    "English", "Spanish", "Estonian", "Basque", "Persian", "Finnish", "French", "Irish", "Galician", "Hebrew",
    "Hindi", "Croatian", "Hungarian", "Armenian", "Indonesian", "Icelandic", "Italian", "Japanese", "Georgian",
    "Kazakh", "Korean", "Lithuanian", "Latvian", "Macedonian", "Malay", "Norwegian Bokmål", "Dutch",
    "Norwegian Nynorsk", "Norwegian", "Polish", "Portuguese", "Romanian", "Russian", "Slovak", "Slovenian",
    "Albanian", "Serbian", "Swedish", "Tamil", "Telugu", "Thai", "Turkish", "Ukrainian", "Urdu", "Uzbek",
    "Vietnamese", "Chinese",
)  # fmt: skip

_SHORT: Mapping[str, str] = {codes.split()[1]: codes.split()[0] for codes in _CODES}
_NAMED: Mapping[str, str] = {codes.split()[1]: name for codes, name in zip(_CODES, _NAMES, strict=True)}


def short_code(code: str) -> str:
    """The shortest code of a language, as the web knows it (BCP 47): `nl` for `nld`."""
    return _SHORT.get(code, code)


def name_of(code: str) -> str:
    """A language's name in English; of one that is not known here, its code."""
    return _NAMED.get(code, code)


def old_code(code: str) -> str:
    """The code of a language that older formats know (ISO 639-2/B): `dut` for `nld`."""
    return _OLD.get(code, code)


def language(code: str | None) -> str:
    """The one code of a language: `en` and `en-GB` are `eng`, `ger` is `deu`; `und` where nothing is said."""
    plain = (code or "und").lower().replace("_", "-").partition("-")[0]
    return _KNOWN.get(plain, plain)
