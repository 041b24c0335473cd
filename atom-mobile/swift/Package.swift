// swift-tools-version: 5.9
import PackageDescription

// Apple platforms link the Rust library from an XCFramework; Linux links what cargo built.
#if os(Linux)
let rust = Target.systemLibrary(name: "AtomFFI")
let linking: [LinkerSetting] = [.unsafeFlags(["-L../../target/debug", "-Xlinker", "-rpath=../../target/debug"]), .linkedLibrary("atom_mobile")]
#else
let rust = Target.binaryTarget(name: "AtomFFI", path: "AtomFFI.xcframework")
let linking: [LinkerSetting] = []
#endif

let package = Package(
    name: "Atom",
    platforms: [.iOS(.v15), .macOS(.v12)],
    products: [.library(name: "Atom", targets: ["Atom"])],
    targets: [
        rust,
        .target(name: "Atom", dependencies: ["AtomFFI"], linkerSettings: linking),
        .testTarget(name: "AtomTests", dependencies: ["Atom"]),
    ]
)
