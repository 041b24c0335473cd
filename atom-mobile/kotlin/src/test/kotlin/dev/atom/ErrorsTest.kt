package dev.atom

import java.time.Instant
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory

class ErrorsTest {
    @TestFactory
    fun `every kind of the catalogue is an exception of its own`() = parse(testdata.resolve("errors.json")).map { entry ->
        val code = entry["code"]!!.jsonPrimitive.content
        DynamicTest.dynamicTest(code) {
            val error = failure { it.fail(code) }
            assertEquals(camel("_$code"), error.javaClass.simpleName)
            val details = ErrorDetails(
                code = code,
                reason = "probe",
                text = "$code on purpose",
                provider = "probe",
                status = 418,
                retryAfterSeconds = 1.5,
                retryable = entry["retryable"]!!.jsonPrimitive.boolean,
            )
            assertEquals(details, error.details())
            assertEquals("$code/probe: $code on purpose", error.toString())
        }
    }

    @Test
    fun `the catalogue names every exception`() {
        val codes = parse(testdata.resolve("errors.json")).map { it["code"]!!.jsonPrimitive.content }
        assertEquals(AtomException::class.sealedSubclasses.map { snake(it.simpleName!!) }.toSet(), codes.toSet())
    }

    @Test
    fun `a caught exception has its fields`() {
        val error = failure { it.fail("rate_limited") }
        assertTrue(error is AtomException.RateLimited && error.retryAfterSeconds == 1.5)
    }

    @Test
    fun `a malformed value is refused as invalid`() {
        assertEquals("malformed_id", failure { it.echo(sample(connection = "users/1")) }.details().reason)
        assertEquals("malformed_json", failure { it.echo(sample(raw = "{")) }.details().reason)
        assertEquals("moment_out_of_range", failure { it.echo(sample(at = Instant.MAX)) }.details().reason)
    }

    @Test
    fun `moments before 1970 keep their fraction`(): Unit = runBlocking {
        val at = Instant.parse("1815-12-10T00:00:00.000000001Z")
        assertEquals(at, Probe.start().use { it.echo(sample(at = at)) }.at)
    }

    private fun failure(call: suspend (Probe) -> Unit): AtomException =
        assertThrows(AtomException::class.java) { runBlocking { Probe.start().use { call(it) } } }

    private fun sample(connection: String = "01890a5d-ac96-774b-bcce-b302099a8057", raw: String = "{}", at: Instant = Instant.EPOCH) = Sample(
        text = "",
        count = 0,
        ratio = 0.0,
        flag = false,
        at = at,
        connection = connection,
        weight = Weight.LIGHT,
        shape = Shape.Plane(),
        tags = listOf(),
        labels = mapOf(),
        raw = raw,
        content = byteArrayOf(),
    )
}
