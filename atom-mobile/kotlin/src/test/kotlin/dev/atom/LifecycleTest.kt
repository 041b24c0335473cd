package dev.atom

import java.lang.ref.PhantomReference
import java.lang.ref.ReferenceQueue
import kotlin.random.Random
import kotlin.system.measureTimeMillis
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.TimeoutCancellationException
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** Coroutines that end early and handles that go away: what Rust must survive. */
class LifecycleTest {
    @Test
    fun `a cancelled call ends at once and leaves the library usable`(): Unit = runBlocking {
        Probe.start().use { probe ->
            val elapsed = measureTimeMillis {
                assertThrows(TimeoutCancellationException::class.java) { runBlocking { withTimeout(50) { probe.wait(30_000) } } }
            }
            assertTrue(elapsed < 5_000, "took $elapsed ms")
            assertEquals("still here", probe.echoOptional("still here"))
        }
    }

    @Test
    fun `calls cancelled at any moment leave the library usable`(): Unit = runBlocking(Dispatchers.Default) {
        Probe.start().use { probe ->
            List(300) {
                launch {
                    val call = launch { probe.wait(Random.nextLong(4)) }
                    delay(Random.nextLong(4))
                    call.cancelAndJoin()
                }
            }.forEach { it.join() }
            assertEquals("still here", probe.echoOptional("still here"))
        }
    }

    @Test
    fun `200 calls run at the same time`(): Unit = runBlocking {
        Probe.start().use { probe ->
            val elapsed = measureTimeMillis { List(200) { async(Dispatchers.Default) { probe.wait(200) } }.awaitAll() }
            assertTrue(elapsed < 10_000, "took $elapsed ms, one after the other takes 40 s")
        }
    }

    @Test
    fun `a handle closed while calls are under way lets them finish`(): Unit = runBlocking(Dispatchers.Default) {
        repeat(20) {
            val probe = Probe.start()
            val calls = List(10) { async { runCatching { probe.wait(20) } } }
            delay(Random.nextLong(5))
            probe.close()
            for (call in calls) {
                val failure = call.await().exceptionOrNull()
                assertTrue(failure == null || failure is IllegalStateException, "$failure")
            }
        }
    }

    @Test
    fun `a closed handle refuses calls`() {
        val probe = runBlocking { Probe.start() }
        probe.close()
        probe.close()
        assertThrows(IllegalStateException::class.java) { runBlocking { probe.nothing() } }
    }

    @Test
    fun `handles left to the garbage collector are freed, also with a call under way`() {
        val collected = ReferenceQueue<Probe>()
        val watched = runBlocking(Dispatchers.Default) {
            List(100) {
                val probe = Probe.start()
                launch { runCatching { withTimeout(5) { probe.wait(1_000) } } }
                PhantomReference(probe, collected)
            }
        }
        repeat(watched.size) {
            System.gc()
            assertNotNull(collected.remove(10_000), "a handle is still held")
        }
        assertEquals("still here", runBlocking { Probe.start().use { it.echoOptional("still here") } })
    }
}
