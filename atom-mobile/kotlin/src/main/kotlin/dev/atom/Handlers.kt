package dev.atom

import kotlin.coroutines.cancellation.CancellationException

/**
 * A handler that is a function. It returns its output as JSON.
 *
 * An `AtomException` that it throws, among them what `jobError` makes, says how the attempt failed. Anything else counts as a failure that
 * may be repeated, with the name of its class as the reason.
 */
fun jobHandler(run: suspend (RunningJob) -> String): JobHandler = object : JobHandler {
    override suspend fun handle(job: RunningJob): String =
        try {
            run(job)
        } catch (e: CancellationException) {
            throw e
        } catch (e: AtomException) {
            throw e
        } catch (e: Throwable) { // UniFFI lets an `Error` pass, and Rust would never hear of the end.
            throw jobError(e::class.simpleName ?: "Throwable", e.message ?: "")
        }
}
