package dev.atom

import kotlin.coroutines.cancellation.CancellationException

/**
 * An operation hook that is a function of the connection and the operation's inputs, and returns what the vendor would have answered. Both
 * are JSON.
 *
 * An `AtomException` that it throws reaches the caller as it is. Anything else becomes `Provider` (`hook_failed`) with the name of its class
 * and without its message.
 */
fun operationHook(work: suspend (connection: Connection, input: String) -> String): OperationHook = object : OperationHook {
    override suspend fun run(connection: Connection, input: String): String =
        try {
            work(connection, input)
        } catch (e: CancellationException) {
            throw e
        } catch (e: AtomException) {
            throw e
        } catch (e: Throwable) { // UniFFI lets an `Error` pass, and Rust would never hear of the end.
            throw hookError(e::class.simpleName ?: "Throwable")
        }
}
