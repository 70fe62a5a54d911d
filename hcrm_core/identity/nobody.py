"""What is written where nothing is known: numbers and names that fill a form and stand for nobody."""

import re
from functools import lru_cache

from hcrm_core.identity.sound import simplified, surnames

_WORDS = re.compile(
    r"^[无未没空缺]|不详|不明|不清|不知|不愿|拒绝|拒报|暂[无缺未]|[忘没未]带|忘记|[遗丢]失|补办|待[补查定办]|保密|外[籍宾]|外国|同上|"
    r"新生儿|未成年|测试"
)
_LETTERS = re.compile(
    r"UNK|UNKNOWN|NOTKNOWN|NONE|NULL|NIL|NAN?|NO|NOID|NONUMBER|NOTAVAILABLE|NOTAPPLICABLE|NOTPROVIDED|NOTGIVEN|"
    r"UNAVAILABLE|REFUSED|DECLINED|MISSING|LOST|PENDING|TEST|TBA|TBD|FOREIGN|FOREIGNER"
)
_IN_A_ROW = ("0123456789012345678901234567890", "9876543210987654321098765432109")
_EVERYBODY_S = ("13800138000", "13900139000")


@lru_cache(maxsize=65536)
def stands_for_nobody(number: str, counted: bool = False) -> bool:
    """Whether a number was written to fill a form.

    Such are words (不详, UNKNOWN), one repeated character, few different digits, digits in a row, and numbers that
    everybody knows.

    Args:
        number: As `documents.plain` makes it, or the digits of a phone.
        counted: It comes from a counter, as the numbers do that a hospital gives: there 12, 1000001 and 1234567 are
            somebody.
    """
    digits = "".join(digit for digit in number if digit.isdecimal())
    if len(set(number)) <= 1 and (len(number) >= 5 or not digits.strip("0")):
        return True
    if not (digits and counted) and _is_word(number):
        return True
    if counted or not digits:
        return False
    if len(set(digits)) <= 2 and len(digits) >= 7:
        return True
    if any(digits in row for row in _IN_A_ROW):
        return True
    return len(digits) >= 10 and (len(set(digits[-7:])) == 1 or digits in _EVERYBODY_S)


def _is_word(text: str) -> bool:
    if text.isascii():
        return _LETTERS.fullmatch("".join(letter for letter in text if letter.isalnum())) is not None
    return _WORDS.search(simplified(text)) is not None


_NO_NAME = re.compile(
    r"无名|不详|未知|匿名|佚名|不明|测试|某某|某$|新生儿|婴儿$|[男女]婴$|^[男女]婴|儿子$|女儿$|^小儿$|bb$|先生$|女士$|"
    r"^待定$|^未登记$|^患者|^病人|^本人$|^急诊|之[长次大小幼双]?[子女儿男婴][大小甲乙一二]?$"
)
_NO_GIVEN_NAME = re.compile(r"(.[长次大小幼双][子女儿男]|.(大双|小双|双胎|宝宝|贝贝|毛毛))[大小甲乙一二]?$")
_NO_NAME_IN_LETTERS = re.compile(
    r"\bunknown\b|\bunidentified\b|\banonym(ous)?\b|\bnewborn\b|\bbaby ?(boy|girl)\b|^baby\b|\bbb\b|"
    r"\b(john|jane) doe\b|\bdoe (john|jane)\b|^test(patient|person)?\d*\b"
)


def names_nobody(family: str, given: str) -> bool:
    """Whether a name in simplified characters was written for somebody who has none: 无名氏, 王芳之女, 李娜大双.

    What can be a name is one: 李毛毛, 陈婴, 王小男, 赵美子, 李娜女. Only behind a mother's name of two characters,
    where no name is so long, does such an end tell a newborn child.
    """
    whole = family + given
    if _NO_NAME.search(whole) or _NO_NAME.search(family):
        return True
    surname = 2 if whole[:2] in surnames().compound else 1
    return _NO_GIVEN_NAME.search(whole[surname:]) is not None


def letters_name_nobody(text: str) -> bool:
    """Whether a name in small letters, its parts divided by blanks, was written for somebody who has none."""
    return _NO_NAME_IN_LETTERS.search(text) is not None
