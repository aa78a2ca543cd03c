"""Bodies that parsers disagree on: what is no JSON is refused, what is odd JSON is read, and nothing is half read.

All of them are written here; each family that is known to divide parsers stands in the table at least twice.
"""

from __future__ import annotations

import json

import pytest

from tests.spec.calls import PROBLEM, Ask, cards, refusal, story, without_uuids

SOUND = json.dumps(story())
START, END = SOUND[:-1], "}"


def planted(member: str) -> bytes:
    """Return the sound call with one more member behind the others."""
    return f"{START}, {member}{END}".encode()


def valued(text: str) -> bytes:
    """Return the sound call with one more member of this value."""
    return planted(f'"zz": {text}')


def swapped(old: str, new: str) -> bytes:
    """Return the sound call with one piece of its text replaced."""
    assert old in SOUND
    return SOUND.replace(old, new, 1).encode()


REFUSED: dict[str, bytes] = {
    "nothing": b"",
    "white space": b" \t\r\n",
    "a lone byte order mark": b"\xef\xbb\xbf",
    "byte order mark before": b"\xef\xbb\xbf" + SOUND.encode(),
    "byte order mark behind": SOUND.encode() + b"\xef\xbb\xbf",
    "utf-16 with mark": SOUND.encode("utf-16"),
    "utf-16 little": SOUND.encode("utf-16-le"),
    "utf-16 big": SOUND.encode("utf-16-be"),
    "utf-32": SOUND.encode("utf-32"),
    "utf-7": SOUND.encode("utf-7").replace(b"{", b"+AHs-"),
    "latin-1": SOUND.replace("Fasciculation", "Fascicul\u00e4tion").encode("latin-1"),
    "encoded surrogate": SOUND.encode().replace(b"Fasciculation", b"\xed\xa0\x80"),
    "overlong slash": SOUND.encode().replace(b"Fasciculation", b"\xc0\xaf"),
    "beyond unicode": SOUND.encode().replace(b"Fasciculation", b"\xf4\x90\x80\x80"),
    "cut character": SOUND.encode()[:-1] + b"\xe2\x82",
    "a lone brace": b"{",
    "a lone closing brace": b"}",
    "one byte too few": SOUND[:-1].encode(),
    "cut in a string": SOUND[: SOUND.index("Fasciculation") + 3].encode(),
    "cut in a number": SOUND[: SOUND.index("2.8") + 2].encode(),
    "cut in an escape": (START + ', "zz": "\\u00').encode(),
    "cut in a literal": (START + ', "zz": tr').encode(),
    "brace too many": (SOUND + "}").encode(),
    "bracket behind": (SOUND + "]").encode(),
    "text behind": (SOUND + " x").encode(),
    "two bodies": (SOUND + SOUND).encode(),
    "two bodies by lines": (SOUND + "\n" + SOUND).encode(),
    "null byte behind": SOUND.encode() + b"\x00",
    "record separator before": b"\x1e" + SOUND.encode(),
    "guard before": b")]}',\n" + SOUND.encode(),
    "callback": b"answer(" + SOUND.encode() + b")",
    "an array of it": f"[{SOUND}]".encode(),
    "a string of it": json.dumps(SOUND).encode(),
    "a literal": b"true",
    "trailing comma in the object": (START + ",}").encode(),
    "trailing comma in an array": valued("[1, 2,]"),
    "two commas": valued("[1,, 2]"),
    "leading comma": b"{," + SOUND[1:].encode(),
    "no comma": planted('"zz": 1 "zy": 2'),
    "no colon": planted('"zz" 1'),
    "equals for colon": planted('"zz" = 1'),
    "no value": planted('"zz":'),
    "name without quotes": planted("zz: 1"),
    "name in single quotes": planted("'zz': 1"),
    "number for a name": planted("1: 1"),
    "mismatched brackets": valued("[1}"),
    "line comment": (START + "} // end").encode(),
    "block comment": swapped("{", "{/* call */"),
    "hash comment": (SOUND + "\n# end").encode(),
    "NaN": valued("NaN"),
    "small nan": valued("nan"),
    "Infinity": valued("Infinity"),
    "minus Infinity": valued("-Infinity"),
    "inf": valued("1e"),
    "undefined": valued("undefined"),
    "None": valued("None"),
    "True": valued("True"),
    "plus sign": valued("+1"),
    "leading zero": valued("012"),
    "minus alone": valued("-"),
    "no digit before the point": valued(".5"),
    "no digit behind the point": valued("5."),
    "hexadecimal": valued("0x1F"),
    "digits of another script": valued("\u0661\u0662"),
    "underscore": valued("1_000"),
    "single quotes": valued("'x'"),
    "backquotes": valued("`x`"),
    "raw newline in a string": valued('"a\nb"'),
    "raw tab in a string": valued('"a\tb"'),
    "raw null in a string": valued('"a\x00b"'),
    "unknown escape": valued(r'"\x41"'),
    "escaped apostrophe": valued(r'"\'"'),
    "capital escape": valued(r'"\U00000041"'),
    "three digits of four": valued(r'"\u00e"'),
    "lone high surrogate": valued(r'"\ud800"'),
    "lone low surrogate": valued(r'"\udc00"'),
    "surrogates the wrong way round": valued(r'"\udc00\ud800"'),
    "high surrogate and a letter": valued(r'"\ud800x"'),
    "surrogate in a name": planted(r'"\ud800": 1'),
    "hook given twice": planted('"hook": "patient-view"'),
    "context given twice": planted('"context": {}'),
    "hook given twice, once escaped": planted(r'"h\u006fok": "patient-view"'),
    "deep arrays": valued("[" * 5_000 + "]" * 5_000),
    "deep arrays that never end": valued("[" * 100_000),
    "deep objects": valued('{"a":' * 5_000 + "1" + "}" * 5_000),
}
"""Name → body that is not one sound JSON object: it is refused as a whole."""
READ: dict[str, bytes] = {
    "white space around": f" \r\n\t{SOUND}\n\t ".encode(),
    "no white space": json.dumps(story(), separators=(",", ":")).encode(),
    "indented": json.dumps(story(), indent=4).encode(),
    "not escaped": json.dumps(story(), ensure_ascii=False).encode(),
    "names escaped": swapped('"hook"', r'"\u0068ook"'),
    "solidus escaped": SOUND.replace("/", r"\/").encode(),
    "huge number": valued("1e400"),
    "tiny number": valued("1e-400"),
    "huge exponent": valued("1e99999999999999999999"),
    "thousand digits": valued("9" * 1_000),
    "long fraction": valued("0." + "3" * 5_000),
    "minus zero": valued("-0"),
    "minus zero with exponent": valued("-0e-0"),
    "capital exponent": valued("1E+2"),
    "surrogate pair": valued(r'"\ud83e\uddb5"'),
    "non-character": valued(r'"\uffff"'),
    "escaped null": valued(r'"\u0000"'),
    "escaped byte order mark": valued(r'"\ufeff"'),
    "separator of lines": valued('"\u2028"'),
    "delete": valued('"\x7f"'),
    "empty name": planted('"": 1'),
    "long name": planted(f'"{"z" * 50_000}": 1'),
    "long text": valued(f'"{"z" * 200_000}"'),
    "many members": planted(", ".join(f'"zz{number}": {number}' for number in range(5_000))),
    "wide array": valued(f"[{','.join('1' for _ in range(50_000))}]"),
    "modest depth": valued("[" * 30 + "]" * 30),
    "prototype": planted('"__proto__": {"hook": "x"}'),
}
"""Name → body that is odd and sound: it is answered like the plain one."""


def test_the_table_is_as_long_as_it_says() -> None:
    """At least sixty bodies are refused and twenty are read; none stands twice."""
    bodies = [*REFUSED.values(), *READ.values()]
    assert (len(REFUSED) >= 60, len(READ) >= 20, len(set(bodies))) == (True, True, len(bodies))


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_json_object_is_refused(ask: Ask, name: str) -> None:
    """The answer is 400 with the place, in process and over HTTP; nothing of the body is repeated."""
    assert refusal(ask(PROBLEM, REFUSED[name]), 400, "structure")


@pytest.mark.parametrize("name", READ)
def test_odd_json_is_read_like_plain_json(ask_app: Ask, name: str) -> None:
    """The cards are those of the plain call."""
    plain = without_uuids(cards(ask_app(PROBLEM, story())))
    assert without_uuids(cards(ask_app(PROBLEM, READ[name]))) == plain
