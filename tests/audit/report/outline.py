"""What a screen reader and a keyboard find in a page: its elements with their attributes and texts."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "img", "br", "hr", "input"}


@dataclass
class Element:
    """One element; `text` is all text within it."""

    tag: str
    attributes: dict[str, str]
    parent: "Element | None"
    children: list["Element"] = field(default_factory=list)
    text: str = ""

    def within(self, tag: str) -> "list[Element]":
        """Return all elements of that tag within this one, in the page's order."""
        found = [self] if self.tag == tag else []
        return found + [one for child in self.children for one in child.within(tag)]

    def all(self) -> "list[Element]":
        """Return this element and all within."""
        return [self, *(one for child in self.children for one in child.all())]


class Outline(HTMLParser):
    """Builds the tree; `unbalanced` names what was closed and never opened, or the other way round."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("page", {}, None)
        self.here = self.root
        self.unbalanced: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, self.here)
        self.here.children.append(element)
        if tag not in VOID:
            self.here = element

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.here.tag != tag or self.here.parent is None:
            self.unbalanced.append(f"{self.here.tag} closed by {tag}")
            return
        self.here = self.here.parent

    def handle_data(self, data: str) -> None:
        element: Element | None = self.here
        while element is not None:
            element.text += data
            element = element.parent
