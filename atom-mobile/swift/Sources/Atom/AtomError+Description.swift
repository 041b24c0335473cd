// UniFFI writes `description` but not the conformance, without which printing an error shows its fields instead.
extension AtomError: CustomStringConvertible {}
