"""Gate one: strict YAML to plain values with line numbers; it never guesses what an unquoted word means."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from cds_service.model.faults import Fault

try:  # the C loader is part of every wheel; a source build without libyaml falls back to the same rules
    from yaml import CSafeLoader as _Loader
except ImportError:
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]  # same interface, pure Python

CHECK = "strict-yaml"
_STEP = re.compile(r"[^.\[\]]+")
_PLAIN_TAGS = {
    "tag:yaml.org,2002:timestamp": "a date: quote it",
    "tag:yaml.org,2002:float": "a decimal number: quote it, so that no digit is lost",
    "tag:yaml.org,2002:merge": "a merge key: write the members out",
}
_PLAIN_COLLECTIONS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")


class Document:
    """One YAML file: its plain `value` (None when it cannot be read), its faults, and where each path stands."""

    def __init__(self, file: str, text: str, folder: str = "") -> None:
        """Parse `text`; every fault is kept, none is raised. `folder` is that of a `Fault`."""
        self.file = file
        self.folder = folder
        self.faults: list[Fault] = []
        self.value: Any = None
        self._root: yaml.Node | None = None
        try:
            self._root = yaml.compose(text, Loader=_Loader)
        except yaml.MarkedYAMLError as error:
            line = 1 if error.problem_mark is None else error.problem_mark.line + 1
            self._add(line, "", f"This is not YAML: {error.problem}.", "Correct the syntax at this line.")
        except yaml.YAMLError as error:
            before = text.encode()[: getattr(error, "position", 0)]
            line = before.count(b"\n") + 1
            self._add(line, "", "This is not YAML.", "Remove characters that YAML does not allow.")
        if self._root is None:
            if not self.faults:
                self._add(1, "", "The file is empty.", "Write a definition or delete the file.")
            return
        self._refuse_anchors(text)
        if not self.faults:
            self.value = self._plain(self._root, "")

    def line_of(self, path: Sequence[str | int]) -> int:
        """Return the line where the deepest existing part of `path` stands."""
        node = self._root
        line = 1 if node is None else node.start_mark.line + 1
        for step in path:
            found = _child(node, step)
            if found is None:
                break
            mark, node = found
            line = mark.line + 1
        return line

    def fault(self, path: Sequence[str | int], check: str, text: str, remedy: str) -> Fault:
        """Build a fault that points at `path` in this file."""
        return Fault(self.file, self.line_of(path), spell_path(path), check, text, remedy, folder=self.folder)

    def _add(self, line: int, path: str, text: str, remedy: str) -> None:
        self.faults.append(Fault(self.file, line, path, CHECK, text, remedy, folder=self.folder))

    def _refuse_anchors(self, text: str) -> None:
        """Find anchors and aliases first: the nodes do not show them, and following them can go in circles."""
        if "&" in text or "*" in text:
            for event in yaml.parse(text, Loader=_Loader):
                name = getattr(event, "anchor", None)
                if name is not None:
                    line = 1 if event.start_mark is None else event.start_mark.line + 1
                    self._add(line, "", f"{name!r} is an anchor or alias.", "Write the value out.")

    def _plain(self, node: yaml.Node, path: str) -> Any:
        if isinstance(node, yaml.CollectionNode) and not node.tag.startswith(_PLAIN_COLLECTIONS):
            line = node.start_mark.line + 1
            self._add(line, path, f"The tag {node.tag} is used.", "Leave the tag out.")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._plain(item, f"{path}[{place}]") for place, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _mapping(self, node: yaml.MappingNode, path: str) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else "?"
            where = f"{path}.{key}" if path else key
            line = key_node.start_mark.line + 1
            if key_node.tag != "tag:yaml.org,2002:str":
                self._add(line, where, f"The key {key!r} is not read as text.", "Quote the key.")
            if key in result:
                self._add(line, where, f"The key {key!r} stands twice.", "Keep one of the two.")
            result[key] = self._plain(value_node, where)
        return result

    def _scalar(self, node: yaml.Node, path: str) -> Any:
        tag, text, line = node.tag, str(node.value), node.start_mark.line + 1
        if tag == "tag:yaml.org,2002:str" or getattr(node, "style", None) in {"'", '"', "|", ">"}:
            return text
        if tag == "tag:yaml.org,2002:bool" and text in {"true", "false"}:
            return text == "true"
        if tag == "tag:yaml.org,2002:null" and text == "null":
            return None
        if tag == "tag:yaml.org,2002:int" and (text == "0" or text.lstrip("-")[:1] in set("123456789")):
            if text.lstrip("-").isdigit():
                return int(text)
            self._add(
                line, path, f"{text!r} is an odd way to write a number.", "Use plain digits or quote it."
            )
            return text
        reason = _PLAIN_TAGS.get(tag, "read as something else than text: quote it")
        self._add(line, path, f"{text!r} is {reason}.", f'Write "{text}".')
        return text


def _child(node: yaml.Node | None, step: str | int) -> tuple[yaml.Mark, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key_node, value_node in node.value:
            if key_node.value == step:
                return key_node.start_mark, value_node
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step].start_mark, node.value[step]
    return None


def spell_path(path: Sequence[str | int]) -> str:
    """Return `evidence[0].finding` for ("evidence", 0, "finding")."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else (f".{step}" if text else str(step))
    return text


def steps_of(path: str) -> list[str | int]:
    """Return ["evidence", 0, "finding"] for `evidence[0].finding`."""
    return [int(step) if step.isdigit() else step for step in _STEP.findall(path)]


def read_documents(folder: Path, base: Path) -> Iterator[Document]:
    """Yield every YAML file of one folder, by name; `file` is relative to `base`."""
    for path in sorted(folder.glob("*.yaml")):
        yield read_document(path, base)


def read_document(path: Path, base: Path, label: str = "") -> Document:
    """Return one YAML file; `file` is relative to `base`, which faults call `label`."""
    file = path.relative_to(base).as_posix()
    try:
        return Document(file, path.read_text(encoding="utf-8"), label)
    except UnicodeDecodeError:
        document = Document(file, "null", label)
        document.faults.append(
            Fault(file, 1, "", CHECK, "The file is not UTF-8.", "Save it as UTF-8.", folder=label)
        )
        return document
