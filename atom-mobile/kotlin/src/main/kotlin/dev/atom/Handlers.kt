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

/**
 * Does a step unless an earlier attempt has done it, and returns its outcome as JSON.
 *
 * What `work` throws leaves the step undone. Fails with `Conflict` (`step_in_doubt`) where an earlier attempt may have done a step that must
 * not be repeated, and with `Cancelled` (`job_lost`): let both leave the handler.
 */
suspend fun RunningJob.step(step: String, effect: Effect, work: suspend () -> String): String =
    beginStep(step, effect)?.output ?: work().also { finishStep(step, it) }
