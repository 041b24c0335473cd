import Foundation

/// A key provider from two functions: of a data key and its context, and of a wrapped data key and the same context.
///
/// Whatever they throw becomes `Sealed` (`key_provider_failed`) with the name of its type and without its text.
public func keyProvider(
    fingerprint: String,
    wrap: @escaping @Sendable (Data, Data) async throws -> Data,
    unwrap: @escaping @Sendable (Data, Data) async throws -> Data
) -> KeyProvider {
    FunctionKeyProvider(name: fingerprint, wrapping: wrap, unwrapping: unwrap)
}

private final class FunctionKeyProvider: KeyProvider {
    private let name: String
    private let wrapping: @Sendable (Data, Data) async throws -> Data
    private let unwrapping: @Sendable (Data, Data) async throws -> Data

    init(
        name: String,
        wrapping: @escaping @Sendable (Data, Data) async throws -> Data,
        unwrapping: @escaping @Sendable (Data, Data) async throws -> Data
    ) {
        self.name = name
        self.wrapping = wrapping
        self.unwrapping = unwrapping
    }

    func fingerprint() -> String { name }

    func wrap(dataKey: Data, context: Data) async throws -> Data {
        try await named { try await self.wrapping(dataKey, context) }
    }

    func unwrap(wrapped: Data, context: Data) async throws -> Data {
        try await named { try await self.unwrapping(wrapped, context) }
    }

    private func named(_ work: () async throws -> Data) async throws -> Data {
        do {
            return try await work()
        } catch let error as AtomError {
            throw error
        } catch {
            throw jobError(reason: String(describing: type(of: error)), text: "")
        }
    }
}
