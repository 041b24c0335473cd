package dev.atom

import java.lang.ref.PhantomReference
import java.lang.ref.ReferenceQueue
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicInteger
import kotlin.system.measureTimeMillis
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** Functions that run jobs, and streams. */
class HandlersTest {
    private suspend fun outcomes(
        handler: JobHandler, jobs: Long = 1, input: String = "null", cancelAfter: Long? = null, abandonAfter: Long? = null,
    ): List<TrialOutcome> {
        val trial = Trial(kind = "test", input = input, jobs = jobs, cancelAfter = cancelAfter, abandonAfter = abandonAfter)
        return Probe.start().run(mapOf("test" to handler), trial)
    }

    private fun outcome(cancelAfter: Long? = null, handler: suspend (RunningJob) -> String) =
        runBlocking { outcomes(jobHandler(handler), cancelAfter = cancelAfter).single() }

    private fun failed(reason: String, text: String, retryable: Boolean = true, retryAfter: Double? = null) =
        TrialOutcome(output = null, reason = reason, text = text, retryable = retryable, retryAfter = retryAfter)

    @Test
    fun `JSON goes in and comes back`(): Unit = runBlocking {
        val outcome = outcomes(jobHandler { it.input() }, input = """{"to":["ada",null]}""").single()
        assertEquals("""{"to":["ada",null]}""", outcome.output)
    }

    @Test
    fun `a handler sees its job`() {
        val outcome = outcome { job ->
            assertNotNull(job.userId())
            """["${job.kind()}", ${job.attempt()}, ${job.isCancelled()}, ${job.id().length}]"""
        }
        assertEquals("""["test",1,false,36]""", outcome.output)
    }

    @Test
    fun `200 jobs run at the same time`(): Unit = runBlocking {
        val seen = ConcurrentHashMap.newKeySet<String>()
        val elapsed = measureTimeMillis {
            outcomes(jobHandler { delay(300); seen.add(it.id()); "null" }, jobs = 200)
        }
        assertTrue(elapsed < 10_000, "took $elapsed ms, one after the other takes 60 s")
        assertEquals(200, seen.size)
    }

    class Boiled(message: String) : Exception(message)

    @Test
    fun `what a handler throws becomes the failure of the attempt`() {
        assertEquals(failed("Boiled", "too hot"), outcome { throw Boiled("too hot") })
        assertEquals(failed("NotImplementedError", "An operation is not implemented."), outcome { TODO() })
        assertEquals(failed("busy", "later", retryAfter = 90.0), outcome { throw jobError("busy", "later", retryAfterSeconds = 90.0) })
        assertEquals(failed("gone", "no such user", retryable = false), outcome { throw jobError("gone", "no such user", false) })
        assertEquals(failed("probe", "unavailable on purpose", retryAfter = 1.5), outcome { Probe.start().fail("unavailable").let { "" } })
    }

    @Test
    fun `a handler that is an object of its own is heard as well`(): Unit = runBlocking {
        val handler = object : JobHandler {
            override suspend fun handle(job: RunningJob): String = throw IllegalStateException("closed")
        }
        assertEquals(failed("IllegalStateException", "closed"), outcomes(handler).single())
    }

    @Test
    fun `what is not JSON is a final failure`() {
        val outcome = outcome { "no JSON" }
        assertEquals("malformed_output" to false, outcome.reason to outcome.retryable)
    }

    @Test
    fun `a cancelled job cancels its coroutine`(): Unit = runBlocking {
        val cancelled = AtomicInteger()
        val ended = CompletableDeferred<Unit>()
        val handler = jobHandler {
            try {
                awaitCancellation()
            } finally {
                if (cancelled.incrementAndGet() == 20) ended.complete(Unit)
            }
        }
        val outcomes = outcomes(handler, jobs = 20, cancelAfter = 50)
        assertEquals(List(20) { failed("cancelled", "the handler was cancelled") }, outcomes)
        withTimeout(5_000) { ended.await() }
    }

    @Test
    fun `handlers under way end with their caller`(): Unit = runBlocking {
        val (began, ended) = List(2) { CompletableDeferred<Unit>() }
        val caller = launch {
            outcomes(jobHandler { began.complete(Unit); try { awaitCancellation() } finally { ended.complete(Unit) } })
        }
        began.await()
        caller.cancel()
        withTimeout(5_000) { ended.await() }
    }

    @Test
    fun `a handler is let go with its worker`() {
        val collected = ReferenceQueue<Any>()
        val watched = runBlocking {
            val owner = Any()
            outcomes(jobHandler { owner.hashCode().toString() }, jobs = 10)
            PhantomReference(owner, collected)
        }
        val deadline = System.currentTimeMillis() + 10_000
        var found = collected.poll()
        while (found == null && System.currentTimeMillis() < deadline) {
            System.gc()
            found = collected.remove(50)
        }
        assertEquals(watched, found)
    }

    @Test
    fun `a flow gives every item of a stream and ends`(): Unit = runBlocking {
        val ticks = Probe.start().countTo(100)
        assertEquals(listOf(1L, 2L), ticks.asFlow().take(2).toList())
        assertEquals((3L..100L).toList(), ticks.asFlow().toList())
        assertEquals(emptyList<Long>(), ticks.asFlow().toList())
    }

    @Test
    fun `a flow throws an error of its stream, which goes on`() {
        val ticks = runBlocking { Probe.start().countTo(4, failsAt = 3) }
        assertThrows(AtomException.Conflict::class.java) { runBlocking { ticks.asFlow().toList() } }
        assertEquals(listOf(3L, 4L), runBlocking { ticks.asFlow().toList() })
    }
}
