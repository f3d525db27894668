"""The words for woman and man, female and male, in the languages that tables and files come in.

Of single letters F, M and W are read: F and M are the codes of DICOM (PS3.3, Patient's Sex) and HL7
(administrative gender), W is woman and weiblich and nothing else; likewise Z with a caron (zena in
Czech, Slovak, Slovene and Croatian) and the letters of other alphabets. Others are not: V is vrouw
and vyras, K is kobieta and karl, N is nainen and no more than that elsewhere, H is hombre but also
hunkøn, U is uomo and unknown. And beside such a letter M is no code any more, for it is mujer in a
column of H and M, and moteris in one of V and M: see :func:`foreign_letters`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from dyssync.ecg import Sex

_WOMEN = """
f w female woman women girl
weiblich weibl frau femme féminin féminine feminin fille mujer femenino femenina hembra mulher
feminino feminina fêmea femmina donna femminile vrouw vrouwelijk kvinna kvinnlig kvinde kvindelig
kvinne kvinnelig nainen naispuolinen kona kvenkyns kvenmaður naine naissoost sieviete moteris
kobieta żeńska żeński žena ženské ženský ženska ženski žensko nő nőnemű femeie kadın kadin bayan
femër grua dona femení emakumea emakumezkoa muller bean baineann benyw menyw mara ž
ж жен жена женски женщина женский женская жінка жіноча жіночий жанчына жаночы
θ γ θήλυ γυναίκα ქალი կին
女 女性 女子 女士 여 여성 여자
"""
_MEN = """
m male man men boy
männlich maennlich männl mann herr homme masculin masculine garçon hombre masculino masculina varón
homem macho maschio uomo maschile mannelijk manlig mand mandlig mannlig mies miespuolinen karl
karlkyns karlmaður mees meessoost vīrietis vyras mężczyzna męska męski muž mužské mužský muškarac
muški muško moški férfi hímnemű bărbat erkek bay mashkull burrë home masculí gizona gizonezkoa
fear fireann gwryw dyn raġel
м ч муж мъж мъжки мужчина мужской мужская чоловік чоловіча чоловічий мушкарац мушки маж машки
мужчына
α άνδρας άρρεν კაცი տղամարդ
男 男性 男子 男士 남 남성 남자
"""
CODES = frozenset("fmw")  # letters of the Latin alphabet that are read


def _plain(text: str) -> str:
    """Return a word as it is compared: full width made half, case folded, no full stop."""
    return unicodedata.normalize("NFKC", text).strip().strip(".").casefold()


def _bare(word: str) -> str:
    """Return a word without accents, as old programs write it."""
    parts = unicodedata.normalize("NFKD", word)
    return unicodedata.normalize("NFC", "".join(c for c in parts if not unicodedata.combining(c)))


def _words() -> dict[str, Sex]:
    sexes: tuple[tuple[Sex, str], ...] = (("F", _WOMEN), ("M", _MEN))
    exact = {_plain(word): sex for sex, words in sexes for word in words.split()}
    # short ones only as they are: without its accents the Hungarian for woman is a no
    bare = {_bare(word): sex for word, sex in exact.items() if len(word) > 2}
    return {**bare, **exact}


SEX_WORDS = _words()


def parse_sex(text: str | None) -> Sex | None:
    """Return "F" or "M", None for anything else.

    >>> parse_sex("Female"), parse_sex("MALE"), parse_sex("Mujer"), parse_sex("K"), parse_sex("1")
    ('F', 'M', 'F', None, None)
    """
    word = _plain(text or "")
    return SEX_WORDS.get(word) or (SEX_WORDS.get(_bare(word)) if len(word) > 2 else None)


def foreign_letters(cells: Iterable[object]) -> bool:
    """Return whether a column holds single Latin letters that are no codes, so that M is none.

    Where F and M stand side by side they are codes, whatever else there is: no language has both.

    >>> foreign_letters(["H", "M"]), foreign_letters(["F", "M", "", "man", "U"])
    (True, False)
    """
    latin = _latin_letters(cells)
    return bool(latin - CODES) and not latin >= {"f", "m"}


def neither_codes(cells: Iterable[object]) -> frozenset[str]:
    """Return the letters that say "unknown" or "other" in a column: where F and M are codes.

    >>> sorted(neither_codes(["F", "M", "U"])), sorted(neither_codes(["U", "D"]))
    (['o', 'u'], [])
    """
    return frozenset("uo") if _latin_letters(cells) >= {"f", "m"} else frozenset()


def _latin_letters(cells: Iterable[object]) -> set[str]:
    plain = {_plain(str(cell)) for cell in cells}
    return {one for one in plain if len(one) == 1 and one.isascii() and one.isalpha()}
