package dev.atom

import com.sun.net.httpserver.HttpServer
import java.net.InetSocketAddress
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.TimeoutCancellationException
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** Operations that functions of Kotlin carry out. */
class HooksTest {
    private val canary = "canary-of-a-customer"

    private val vendor = HttpServer.create(InetSocketAddress("127.0.0.1", 0), 0).apply {
        createContext("/") { exchange ->
            val body = """{"id":"${exchange.requestURI.path}","name":"${exchange.requestHeaders.getFirst("X-Key")}"}""".toByteArray()
            exchange.sendResponseHeaders(200, body.size.toLong())
            exchange.responseBody.use { it.write(body) }
        }
        start()
    }

    private val url = "http://127.0.0.1:${vendor.address.port}"

    @AfterEach
    fun stop() = vendor.stop(0)

    private val manifest = """
        schema = 1
        name = "stage"
        title = "Stage"
        docs = "https://stage.example/docs"
        verified_at = "2026-11-28"
        hosts = ["127.0.0.1"]
        [methods.key]
        type = "api_key"
        title = "Key"
        send = { headers = { X-Key = "{api_key}" } }
        [identity]
        url = "$url/me"
        account_id = "id"
        [services.main]
        base_url = "$url"
        [services.main.records.task]
        id = "id"
        title = "name"
        [services.main.operations."tasks.list"]
        vendor_op = "two requests"
        effect = "read"
        items = "found"
        record = "task"
        hook = "both_halves"
    """.trimIndent()

    private val options
        get() = OpenOptions(
            databaseUrl = "memory:",
            providers = listOf(ProviderApp(provider = "stage", clientId = "", redirectUri = "", manifest = manifest)),
        )

    private suspend fun call(hook: OperationHook): String {
        val atom = Atom.openWithHooks(options, mapOf("both_halves" to hook))
        try {
            val session = atom.accounts().signUp(NewAccount(email = "ada@example.com", password = "an engine of brass and thought"))
            val connections = atom.authenticate(session.accessToken).connections()
            val connection = connections.connect(ConnectWith(provider = "stage", fields = mapOf("api_key" to "k")))
            return connection.call("tasks.list", """{"at":"here"}""")
        } finally {
            atom.shutDown()
        }
    }

    @Test
    fun `a hook carries out an operation with requests of its own`(): Unit = runBlocking {
        val page = call(operationHook { connection, input ->
            assertTrue(input.contains("\"at\":\"here\""))
            val halves = listOf("first", "second").map { connection.request(RawRequest(method = "GET", url = "$url/$it")).json }
            """{"found":[${halves.joinToString(",")}]}"""
        })
        assertTrue(page.contains("\"/first\"") && page.contains("\"/second\"") && page.contains("\"title\":\"k\""), page)
    }

    class Boiled(message: String) : Exception(message)

    private inline fun <reified T : AtomException> refused(noinline work: suspend (Connection, String) -> String): T =
        assertThrows(T::class.java) { runBlocking { call(operationHook(work)) } }

    @Test
    fun `what a hook throws is told by its class, and an error of ours as it is`() {
        for ((thrown, name) in listOf(Boiled(canary) to "Boiled", NotImplementedError(canary) to "NotImplementedError")) {
            val error = refused<AtomException.Provider> { _, _ -> throw thrown }
            assertEquals("hook_failed", error.reason)
            assertTrue(error.text.contains(name))
            assertFalse(error.toString().contains(canary))
        }
        val limited = AtomException.RateLimited("album_busy", "wait for it", "stage", 429, 7.5, true)
        val error = refused<AtomException.RateLimited> { _, _ -> throw limited }
        assertEquals(listOf("album_busy", "wait for it", "stage", 429, 7.5), listOf(error.reason, error.text, error.provider, error.status, error.retryAfterSeconds))
        assertTrue(refused<AtomException.Provider> { _, _ -> "{" }.text.contains("malformed_output"))
    }

    @Test
    fun `a caller that is cancelled cancels its hook`() {
        val ended = CompletableDeferred<Unit>()
        assertThrows(TimeoutCancellationException::class.java) {
            runBlocking {
                withTimeout(2000) {
                    call(operationHook { _, _ ->
                        try {
                            awaitCancellation()
                        } finally {
                            ended.complete(Unit)
                        }
                    })
                }
            }
        }
        runBlocking { withTimeout(5000) { ended.await() } }
    }

    @Test
    fun `a hook that is missing is refused when opening`() {
        val error = assertThrows(AtomException.Invalid::class.java) { runBlocking { Atom.open(options) } }
        assertEquals("unknown_hook", error.reason)
        assertTrue(listOf("`stage`", "`tasks.list`", "`both_halves`").all(error.text::contains))
    }
}
