package dev.atom

import kotlin.coroutines.cancellation.CancellationException

/**
 * A key provider from two functions: of a data key and its context, and of a wrapped data key and the same context.
 *
 * Whatever they throw becomes `Sealed` (`key_provider_failed`) with the name of its class and without its message.
 */
fun keyProvider(
    fingerprint: String,
    wrap: suspend (dataKey: ByteArray, context: ByteArray) -> ByteArray,
    unwrap: suspend (wrapped: ByteArray, context: ByteArray) -> ByteArray,
): KeyProvider = FunctionKeyProvider(fingerprint, wrap, unwrap)

private class FunctionKeyProvider(
    private val name: String,
    private val wrapping: suspend (ByteArray, ByteArray) -> ByteArray,
    private val unwrapping: suspend (ByteArray, ByteArray) -> ByteArray,
) : KeyProvider {
    override fun fingerprint(): String = name

    override suspend fun wrap(dataKey: ByteArray, context: ByteArray): ByteArray = named { wrapping(dataKey, context) }

    override suspend fun unwrap(wrapped: ByteArray, context: ByteArray): ByteArray = named { unwrapping(wrapped, context) }
}

private suspend fun named(work: suspend () -> ByteArray): ByteArray =
    try {
        work()
    } catch (e: CancellationException) {
        throw e
    } catch (e: AtomException) {
        throw e
    } catch (e: Throwable) { // UniFFI lets an `Error` pass, and Rust would never hear of the end.
        throw jobError(e::class.simpleName ?: "Throwable", "")
    }
