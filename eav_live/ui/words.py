"""What the window says, in English as the code has it or as assets/i18n translates it.

lupdate finds texts that stand in `tr("...")`, but within no f-string, and those that
are said later in `later("...")`; `./dev words` brings assets/i18n up to date.
"""

from functools import lru_cache

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

from eav_live.options import LANGUAGES
from eav_live.recognition.assets import asset
from eav_live.recognition.predictions import STREAM_NAMES
from eav_live.ui import remembered

NAMES = dict(zip(LANGUAGES, ("English", "\u4e2d\u6587"), strict=True))
_OURS, _QTS = "i18n/eav_live_zh_CN.qm", "qtbase_zh_CN"
_used: list[QTranslator] = []


def tr(text: str, /, **places: object) -> str:
    """The text in the window's language, with `places` put where it names them.

    Counts need no plural forms of Qt's: Chinese has none, and English is said as
    another text where one is meant.
    """
    translated = QCoreApplication.translate("", text) if _used else text
    return translated.format(**places) if places else translated


def later(text: str) -> str:
    """The text as it is: `tr` has it when it is said."""
    return text


def said(text: str) -> str:
    """Words that come from below the window, as far as `below` knows them."""
    return _said(text) if _used and text else text


def known(text: str) -> str:
    """As `said`, but the words of others, of which only some are known, stay theirs."""
    if not _used:
        return text
    from eav_live.ui.below import known

    return known(text)


def emotion_name(emotion: str) -> str:
    """How an emotion is called, or whatever stands in its place; as a title."""
    return tr(emotion.capitalize())


def stream_name(modality: str) -> str:
    """How a modality's stream is called, as a title."""
    return tr(STREAM_NAMES[modality])


def listed(words: list[str]) -> str:
    """Words with commas between them."""
    return tr(", ").join(words)


def language() -> str:
    """The one in use."""
    return "zh" if _used else "en"


def use_language(wanted: str | None) -> None:
    """Have windows that are made from now on speak one of `NAMES`; Qt must have begun.

    None: what was chosen in the window before, else the system's.
    """
    wanted = wanted or remembered.language() or _systems()
    for translator in _used:
        QCoreApplication.removeTranslator(translator)
    _used.clear()
    _said.cache_clear()
    if wanted == "zh":
        folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
        for name, place in ((_QTS, folder), (str(asset(_OURS)), "")):
            translator = QTranslator()
            if translator.load(name, place):
                QCoreApplication.installTranslator(translator)
                _used.append(translator)


def _systems() -> str:
    first = next(iter(QLocale.system().uiLanguages()), "en")
    return "zh" if first.partition("-")[0] == "zh" else "en"


@lru_cache(maxsize=1024)
def _said(text: str) -> str:
    from eav_live.ui.below import translated

    return translated(text)
