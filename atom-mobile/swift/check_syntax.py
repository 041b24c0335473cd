"""Checks the Swift of this package on a machine without Swift.

    python check_syntax.py GENERATED

GENERATED holds what `uniffi-bindgen generate --language swift` wrote. It needs a C compiler and the packages
tree-sitter==0.26.1 and tree-sitter-swift==0.7.4. This finds slips of syntax and names that hide one of Swift's own; only
Xcode or a Swift toolchain finds errors of type.
"""

import pathlib
import re
import subprocess
import sys

import tree_sitter
import tree_sitter_swift

HERE = pathlib.Path(__file__).parent
PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_swift.language()))
# The grammar does not know this attribute.
ATTRIBUTE = re.compile(r"#if swift\(>=5\.8\)\n\s*@_documentation\(visibility: private\)\n\s*#endif\n")
# A public type of one of these names hides the one of Swift or Foundation wherever Atom is imported.
TAKEN = set(
    "Array Bool Bundle Calendar Character Clock Data Date Decimal Dictionary Double Duration Error Float Host Int Int32 Int64 "
    "Locale Measurement Message Mirror Never Notification Operation Optional Port Process Progress Range Result Selector Set "
    "Stream String TaskGroup Task Thread Timer Unit URL UUID".split()
)
PUBLIC_TYPE = re.compile(r"^(?:public|open)\s+(?:final\s+)?(?:indirect\s+)?(?:class|struct|enum|protocol|typealias)\s+(\w+)", re.M)


def errors(source: str) -> list[str]:
    """The places where a source does not parse."""
    # The same number of lines, so that an error is found where it is.
    source = ATTRIBUTE.sub("\n\n\n", source)
    found, nodes = [], [PARSER.parse(source.encode()).root_node]
    while nodes:
        node = nodes.pop()
        if node.is_error or node.is_missing:
            found.append(f"line {node.start_point.row + 1}: {source.splitlines()[node.start_point.row].strip()}")
        elif node.has_error:
            nodes.extend(node.children)
    return found


def main(generated: pathlib.Path) -> int:
    bindings = generated / "Atom.swift"
    problems = []
    for file in [*generated.glob("*.swift"), HERE / "Package.swift", *HERE.glob("Sources/**/*.swift"), *HERE.glob("Tests/**/*.swift")]:
        problems += [f"{file}: {error}" for error in errors(file.read_text())]
    problems += [f"{bindings}: {name} hides a name of Swift" for name in PUBLIC_TYPE.findall(bindings.read_text()) if name in TAKEN]
    if not errors(bindings.read_text() + "\npublic func func planted() {}\n"):
        problems.append("the parser overlooked a planted error: its result means nothing")
    # The header speaks Clang's dialect.
    compiler = ["cc", "-fsyntax-only", "-D_Nullable=", "-D_Nonnull=", "-include", str(generated / "AtomFFI.h"), "-x", "c", "/dev/null"]
    header = subprocess.run(compiler, capture_output=True, text=True)
    problems += header.stderr.splitlines() if header.returncode else []
    print("\n".join(problems) or "the Swift package parses")
    return 1 if problems else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(pathlib.Path(sys.argv[1])))
