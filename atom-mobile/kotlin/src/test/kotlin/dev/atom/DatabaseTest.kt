package dev.atom

import java.nio.file.Path
import java.util.Base64
import java.util.UUID
import java.util.concurrent.CompletableFuture
import java.util.concurrent.TimeUnit
import kotlin.coroutines.Continuation
import kotlin.coroutines.EmptyCoroutineContext
import kotlin.coroutines.startCoroutine
import kotlin.random.Random
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.MethodSource

internal val key = Base64.getEncoder().encodeToString(ByteArray(32) { it.toByte() })

/** A new file for SQLite, and the PostgreSQL of ATOM_TEST_POSTGRES if there is one. */
internal fun databases(folder: Path): Map<String, String> =
    mapOf("sqlite" to "sqlite://" + folder.resolve("${UUID.randomUUID()}.db")) +
        listOfNotNull(System.getenv("ATOM_TEST_POSTGRES")?.let { "postgres" to it })

/** Coroutines that end early in the middle of a call on the database. */
class DatabaseTest {
    @TempDir
    lateinit var folder: Path

    @ParameterizedTest
    @MethodSource("engines")
    fun `calls cancelled at any moment leave the database usable`(engine: String): Unit = runBlocking(Dispatchers.Default) {
        open(engine).use { atom ->
            val session = atom.accounts().signUp(newAccount())
            val cut = List(30) {
                async {
                    List(10) {
                        listOf(
                            cancelled { atom.schema().migrations() },
                            cancelled { atom.accounts().refresh(session.refreshToken) },
                            cancelled { atom.authenticate(session.accessToken).connections().list() },
                        )
                    }
                }
            }.awaitAll().flatten().flatten().count { it }
            assertTrue(cut > 0, "every call was over before it was cancelled")
            // More calls at once than the pools have connections: one that was lost would keep them waiting.
            withTimeout(30_000) { List(50) { async { atom.schema().migrations() } }.awaitAll() }
        }
    }

    /** Without a dispatcher, each call begins on the thread that ended the one before: once the database's, which waited for itself. */
    @ParameterizedTest
    @MethodSource("engines")
    fun `calls go on without a dispatcher, as in suspend fun main`(engine: String) {
        val done = CompletableFuture<Int>()
        val story: suspend () -> Int = {
            open(engine).use { atom ->
                val session = atom.accounts().signUp(newAccount())
                List(300) { atom.actAs(session.user.id, session.workspace.id).connections().list() }.size
            }
        }
        story.startCoroutine(Continuation(EmptyCoroutineContext) { done.complete(it.getOrThrow()) })
        assertEquals(300, done.get(60, TimeUnit.SECONDS))
    }

    @ParameterizedTest
    @MethodSource("engines")
    fun `a refresh that was cancelled can be repeated`(engine: String): Unit = runBlocking(Dispatchers.Default) {
        open(engine).use { atom ->
            var session = atom.accounts().signUp(newAccount())
            repeat(20) {
                cancelled { atom.accounts().refresh(session.refreshToken) }
                session = withTimeout(30_000) { atom.accounts().refresh(session.refreshToken) }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    fun `sign-ups that were cancelled happened or did not`(engine: String): Unit = runBlocking(Dispatchers.Default) {
        open(engine).use { atom ->
            repeat(10) {
                val account = newAccount()
                cancelled(200) { atom.accounts().signUp(account) }
                val again = runCatching { withTimeout(30_000) { atom.accounts().signUp(account) } }.exceptionOrNull()
                assertTrue(again == null || again is AtomException.Conflict, "$again")
                atom.accounts().signIn(Credentials(account.email, account.password))
            }
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    fun `an installation closed with calls under way lets them finish`(engine: String): Unit = runBlocking(Dispatchers.Default) {
        repeat(10) {
            val atom = open(engine)
            val calls = List(10) { async { runCatching { atom.schema().migrations() } } }
            delay(Random.nextLong(5))
            atom.close()
            for (call in calls) {
                val failure = call.await().exceptionOrNull()
                assertTrue(failure == null || failure is IllegalStateException, "$failure")
            }
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    fun `an installation that was shut down says so`(engine: String) {
        val failure = assertThrows(AtomException.Cancelled::class.java) {
            runBlocking {
                open(engine).use { atom ->
                    atom.shutDown()
                    atom.schema().migrations()
                }
            }
        }
        assertEquals("closed", failure.reason)
    }

    @Test
    fun `a record with a secret does not show it`(): Unit = runBlocking {
        val account = newAccount()
        assertEquals("NewAccount(…)", account.toString())
        open("sqlite").use { atom ->
            val session = atom.accounts().signUp(account)
            assertFalse(session.accessToken in "$session")
        }
    }

    private suspend fun open(engine: String) = Atom.open(OpenOptions(databaseUrl = databases(folder)[engine]!!, key = key))

    private fun newAccount() = NewAccount(email = "ada-${UUID.randomUUID()}@example.test", password = "correct horse battery staple")

    /** Cancels a call at some moment; false if it was over by then. */
    private suspend fun CoroutineScope.cancelled(within: Long = 30, call: suspend () -> Unit): Boolean {
        val started = launch { call() }
        delay(Random.nextLong(within))
        started.cancelAndJoin()
        return started.isCancelled
    }

    companion object {
        @JvmStatic
        fun engines() = databases(Path.of("")).keys
    }
}
