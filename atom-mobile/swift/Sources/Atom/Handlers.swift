/// A handler that is a function. It returns its output as JSON.
///
/// An `AtomError` that it throws, among them what `jobError` makes, says how the attempt failed. Anything else counts as a failure that
/// may be repeated, with the name of its type as the reason.
public func jobHandler(_ run: @escaping @Sendable (RunningJob) async throws -> String) -> JobHandler {
    FunctionHandler(run: run)
}

private final class FunctionHandler: JobHandler {
    private let run: @Sendable (RunningJob) async throws -> String

    init(run: @escaping @Sendable (RunningJob) async throws -> String) {
        self.run = run
    }

    func handle(job: RunningJob) async throws -> String {
        do {
            return try await run(job)
        } catch let error as AtomError {
            throw error
        } catch {
            throw jobError(reason: String(describing: type(of: error)), text: String(describing: error))
        }
    }
}

extension RunningJob {
    /// Does a step unless an earlier attempt has done it, and returns its outcome as JSON.
    ///
    /// What `work` throws leaves the step undone. Fails with `Conflict` (`step_in_doubt`) where an earlier attempt may have done a step that
    /// must not be repeated, and with `Cancelled` (`job_lost`): let both leave the handler.
    public func step(_ step: String, _ effect: Effect, _ work: () async throws -> String) async throws -> String {
        if let recorded = try await beginStep(step: step, effect: effect) {
            return recorded.output
        }
        let output = try await work()
        try await finishStep(step: step, output: output)
        return output
    }
}
