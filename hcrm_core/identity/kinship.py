"""What a source says a related person is to the patient, in one small vocabulary.

Read are HL7 table 0063 (NK1-3), HL7 v3 RoleCode as FHIR uses it, GB/T 4761-2008 家庭关系代码 (numbers of one or two
digits, as the front page of a Chinese medical record has them) and the words themselves. The direction is theirs: the
related person is the patient's mother.
"""

import re
from collections.abc import Mapping
from typing import Any

UNKNOWN = "unknown"
FAMILY = frozenset(
    {"spouse", "parent", "child", "sibling", "grandparent", "grandchild", "relative", "guardian", "ward"}
)
"""Relations by which two people may be of one household."""

INVERSE = {
    "parent": "child",
    "child": "parent",
    "grandparent": "grandchild",
    "grandchild": "grandparent",
    "guardian": "ward",
    "ward": "guardian",
}
"""Relation → what the patient is to the related person, where that is another word."""

_CODES: dict[str, tuple[str, ...]] = {
    "spouse": ("SPO", "DOM", "SPS", "HUSB", "WIFE", "DOMPART", "SIGOTHR"),
    "parent": (
        "PAR", "FTH", "MTH", "STPPRN", "PRN", "NPRN", "NFTH", "NMTH", "ADOPTP", "ADOPTF", "ADOPTM", "STPFTH", "STPMTH",
        "FTHFOST", "MTHFOST", "PRNFOST",
    ),
    "child": (
        "CHD", "NCH", "SCH", "FCH", "DEP", "CHILD", "SON", "DAU", "SONC", "DAUC", "NCHILD", "CHLDADOPT", "CHLDFOST",
        "STPCHLD", "SONADOPT", "DAUADOPT", "STPSON", "STPDAU",
    ),
    "sibling": ("SIB", "BRO", "SIS", "NSIB", "NBRO", "NSIS", "HSIB", "HBRO", "HSIS", "TWIN", "TWINBRO", "TWINSIS"),
    "grandparent": ("GRP", "GRPRN", "GRFTH", "GRMTH", "MGRFTH", "MGRMTH", "PGRFTH", "PGRMTH"),
    "grandchild": ("GCH", "GRNDCHILD", "GRNDSON", "GRNDDAU"),
    "relative": (
        "EXF", "FAMMEMB", "EXT", "AUNT", "UNCLE", "COUSN", "NIENEPH", "NEPHEW", "NIECE", "INLAW", "CHLDINLAW",
        "DAUINLAW", "SONINLAW", "PRNINLAW", "FTHINLAW", "MTHINLAW", "SIBINLAW", "BROINLAW", "SISINLAW",
    ),
    "guardian": ("GRD", "GUARD", "POWATT"),
    "ward": ("WRD",),
    "friend": ("FND", "FRND", "NBOR", "ROOM"),
    "work": ("EMR", "EME", "ASC", "MGR", "TRA", "E", "ECON"),
    "caregiver": ("CGV",),
    "self": ("SEL", "ONESELF"),
}  # fmt: skip
_RELATION = {code: relation for relation, codes in _CODES.items() for code in codes}

_GB = {
    "0": "self",
    "1": "spouse",
    "2": "child",
    "3": "child",
    "4": "grandchild",
    "5": "parent",
    "6": "grandparent",
    "7": "sibling",
}
_GB_IN_LAW = frozenset({"28", "38", "45", "46", "47", "48", "53", "54", "55", "56", "65", "66", "67", "68", "72", "74",
                        "76", "78"})  # fmt: skip

_WORDS: tuple[tuple[str, str], ...] = (
    (r"监护|guardian", "guardian"),
    (r"祖父|祖母|爷爷|奶奶|外公|外婆|姥姥|姥爷|grand(father|mother|parent)", "grandparent"),
    (r"孙|外甥孙|grand(child|son|daughter)", "grandchild"),
    (
        r"公公|婆婆|岳|女婿|儿媳|媳妇|姻|嫂|姐夫|妹夫|叔|伯|姑|舅|姨|侄|甥|堂|表[哥弟姐妹兄]|亲戚|亲属|-in-law|aunt|uncle|cousin",
        "relative",
    ),
    (r"配偶|丈夫|妻|爱人|老公|老婆|夫妻|spouse|husband|wife|partner", "spouse"),
    (r"父|母|爸|妈|father|mother|parent", "parent"),
    (r"子女|儿子|女儿|儿|child|son\b|daughter", "child"),
    (r"兄|弟|姐|妹|哥|brother|sister|sibling", "sibling"),
    (r"朋友|邻|同学|friend|neighbou?r", "friend"),
    (r"同事|单位|雇|老板|领导|employ|colleague", "work"),
    (r"护工|保姆|caregiver", "caregiver"),
    (r"本人|户主|self", "self"),
)
_SOUGHT = tuple((re.compile(pattern, re.IGNORECASE), relation) for pattern, relation in _WORDS)


def relation_of(fields: Mapping[str, Any]) -> str:
    """What a related person is to the patient; `unknown` where nothing that is known was said.

    Args:
        fields: The folded fields of a `RelatedPerson`. Its contact role speaks where its relationship does not.
    """
    for name in ("relationship", "contact_role"):
        concept = fields.get(name) or {}
        codings = concept.get("coding") or ()
        for coding in codings:
            if found := _coded(coding.get("code") or "", coding.get("system") or ""):
                return found
        for word in (concept.get("text"), *(coding.get("display") for coding in codings)):
            if word and (found := _written(word)):
                return found
    return UNKNOWN


def inverse(relation: str) -> str:
    """What the patient is to the related person."""
    return INVERSE.get(relation, relation)


def _coded(code: str, system: str) -> str | None:
    code = code.strip().upper()
    if code.isdecimal() and len(code) <= 2:
        return None if "0131" in system else _numbered(code)
    return _RELATION.get(code) or _written(code)


def _numbered(code: str) -> str | None:
    if code in _GB_IN_LAW or (len(code) == 2 and code[0] == "8"):
        return "relative"
    return _GB.get(code[0])


def _written(word: str) -> str | None:
    return next((relation for pattern, relation in _SOUGHT if pattern.search(word)), None)
