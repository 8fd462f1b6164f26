"""The prose of a page or a docstring, sentence by sentence, and the forms that shared words forbid."""

from __future__ import annotations

import re
from collections.abc import Iterator

#: Forms that are hard to read, and the plain ones. Each was found in these pages once.
FORBIDDEN = {
    r"\ba (?:row|step|pair|process|core|cell|group|column|fold|batch|draw|method|seed|arm) "
    r"(?:and (?:critic|seed|effort|method|pair|arm)|each)\b": "'per', not 'a'",
    r"\b(?:steps?|rows?|seconds?|minutes?|hours?|times?|ms|one|label|number|networks?|values?|GB|MB|estimates?) an? "
    r"(?:row|step|pair|process|core|cell|side|group|column|fold|batch|draw|estimate|arm|second|minute|task|block)\b": "'per', not 'a'",
    r"\b(?:that|those) of\b": "repeat the noun",
    r"\bwhat is (?:left|there|said|given|finished|new|missing|found|known|wanted)\b": "name the thing",
    r"\bgoes on\b": "resumes, or continues",
    r"\bbeside\b": "next to, or in addition to",
    r"\bnothing on\b": "ignores",
    r"\bstands at\b": "is",
    r"\bends at\b": "has its end at",
    r"\bholds (?:zero|0|the truth)\b": "contains",
    r"\b(?:is|are|be|was|were) told\b": "say what is distinguished or named",
    r"\btells? (?:apart|nothing|most|more|which|whether|where|about|how)\b": "distinguishes, says, shows; or tells you",
    r"\blooks? (?:alike|at it|first)\b": "say what is evaluated",
    r"\blook(?:s|ed|ing)? like luck\b": "overfitting",
    r"\bold acquaintances?\b": "critics and rows are not people",
    r"\bluck(?:y|iest)?\b": "chance, or overfitting",
    r"\bwitness(?:es)?\b": "reference estimate",
    r"\bby itself\b": "automatically",
    r"\bso (?:has|does|do|is|are) the\b": "subject first",
    r"\bfor having\b": "for multiple comparisons",
    r"\bas good as\b": "accurate only if",
    r"\bmost (?:permutations|rows|steps|pairs)\b": "maximum",
    r"\bat the most\b": "at most",
    r"\bmeanwhile\b": "name the time",
    r"\bone's own\b": "your own",
    r"\bwhereof|whereby|thereof|thereby|herein\b": "plain words",
}  # fmt: skip
MOST_WORDS = 25
_FENCE = re.compile(r"^(```|:::|~~~).*?^\1\s*$", re.MULTILINE | re.DOTALL)
_ABBREVIATIONS = re.compile(r"\b(e\.g|i\.e|et al|vs|eq|Eq|cf|No|approx|arXiv|Fig|St|pp)\.")


def paragraphs(markdown: str) -> Iterator[str]:
    """Prose of a Markdown page: paragraphs and list items. Code, tables, headings, links' targets and directives are left out."""
    text = _FENCE.sub("\n\n", markdown)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r"^( {4,}).*$", "", text, flags=re.MULTILINE)
    for block in re.split(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.) )", text):
        if re.match(r"\s*(\||#|!\[|\{|:|\+|<)", block):
            continue
        block = re.sub(r"!\[[^]]*\]\([^)]*\)", "", block)
        block = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", block)
        block = re.sub(r"\{\w+\}`([^`]*)`|`+([^`]*)`+", "X", block)
        plain = " ".join(re.sub(r"^\s*(?:[-*]|\d+\.)\s+", "", block).replace("*", "").split())
        if plain:
            yield plain


def sentences(paragraph: str) -> list[str]:
    """Sentences; a colon or semicolon that separates two clauses does not end one."""
    safe = _ABBREVIATIONS.sub(lambda found: found[0].replace(".", "\0"), paragraph)
    return [
        part.replace("\0", ".").strip()
        for part in re.split(r"(?<=[.!?])[\"')*]?\s+(?=[A-Z0-9`\"'(*]|torch-mine)", safe)
        if part.strip()
    ]


def count_words(sentence: str) -> int:
    return len(re.findall(r"[^\s–—|/=+×]*\w[^\s–—|/=+×]*", sentence))


def forbidden(text: str) -> list[str]:
    """The forbidden forms in a text, each with the plain one."""
    found = []
    for pattern, plain in FORBIDDEN.items():
        found += [f"{match[0]!r}: {plain}" for match in re.finditer(pattern, text, re.IGNORECASE)]
    return found
