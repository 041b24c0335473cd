package dev.atom

import kotlin.coroutines.cancellation.CancellationException

/**
 * A mail sender that is a function of the mail, and returns what the service called it, or nothing.
 *
 * An `AtomException` that it throws is kept as it is: one that is not retryable gives the mail up. Anything else becomes `Unavailable`
 * (`mail_sender_failed`) with the name of its class and without its message, and the mail is tried again.
 */
fun mailSender(work: suspend (mail: OutgoingMail) -> String?): MailSender = object : MailSender {
    override suspend fun send(mail: OutgoingMail): String? =
        try {
            work(mail)
        } catch (e: CancellationException) {
            throw e
        } catch (e: AtomException) {
            throw e
        } catch (e: Throwable) { // UniFFI lets an `Error` pass, and Rust would never hear of the end.
            throw mailError(e::class.simpleName ?: "Throwable")
        }
}
