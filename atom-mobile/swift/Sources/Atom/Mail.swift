/// A mail sender that is a function of the mail, and returns what the service called it, or nothing.
///
/// An `AtomError` that it throws is kept as it is: one that is not retryable gives the mail up. Anything else becomes `Unavailable`
/// (`mail_sender_failed`) with the name of its type and without its text, and the mail is tried again.
public func mailSender(_ work: @escaping @Sendable (OutgoingMail) async throws -> String?) -> MailSender {
    FunctionMailSender(work: work)
}

private final class FunctionMailSender: MailSender {
    private let work: @Sendable (OutgoingMail) async throws -> String?

    init(work: @escaping @Sendable (OutgoingMail) async throws -> String?) {
        self.work = work
    }

    func send(mail: OutgoingMail) async throws -> String? {
        do {
            return try await work(mail)
        } catch let error as AtomError {
            throw error
        } catch {
            throw mailError(thrown: String(describing: type(of: error)))
        }
    }
}
