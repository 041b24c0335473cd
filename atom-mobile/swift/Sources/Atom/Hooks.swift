/// An operation hook that is a function of the connection and the operation's inputs, and returns what the vendor would have answered. Both
/// are JSON.
///
/// An `AtomError` that it throws reaches the caller as it is. Anything else becomes `Provider` (`hook_failed`) with the name of its type and
/// without its text.
public func operationHook(_ work: @escaping @Sendable (Connection, String) async throws -> String) -> OperationHook {
    FunctionHook(work: work)
}

private final class FunctionHook: OperationHook {
    private let work: @Sendable (Connection, String) async throws -> String

    init(work: @escaping @Sendable (Connection, String) async throws -> String) {
        self.work = work
    }

    func run(connection: Connection, input: String) async throws -> String {
        do {
            return try await work(connection, input)
        } catch let error as AtomError {
            throw error
        } catch {
            throw hookError(thrown: String(describing: type(of: error)))
        }
    }
}
