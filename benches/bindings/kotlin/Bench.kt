/** Measures calls from Kotlin on the JVM: `BenchKt <seconds>`. Prints a JSON object per operation. */
package dev.atom.bench

import dev.atom.Atom
import dev.atom.Connection
import dev.atom.GoogleStandIn
import dev.atom.NewAccount
import dev.atom.OpenOptions
import dev.atom.Probe
import dev.atom.Sample
import dev.atom.Shape
import dev.atom.StartConnection
import dev.atom.Weight
import java.nio.file.Files
import java.nio.file.Path
import java.time.Instant
import java.util.Base64
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.runBlocking

private const val AT_ONCE = 64
private const val MANY = 1000
private const val ROUNDS = 20

private class Bench(private val seconds: Double) {
    suspend fun awaited(operation: String, call: suspend () -> Unit) =
        rounds(operation, 1) { count -> repeat(count) { call() } }

    suspend fun gathered(operation: String, call: suspend () -> Unit) =
        rounds("${operation}_$AT_ONCE", AT_ONCE) { count ->
            repeat(count) { coroutineScope { List(AT_ONCE) { async { call() } }.awaitAll() } }
        }

    /**
     * Reports nanoseconds per call, round by round. The warm-up is long, because the JVM compiles what it sees often; its second
     * half tells how many calls fill a round.
     */
    private suspend fun rounds(operation: String, calls: Int, some: suspend (Int) -> Unit) {
        fill(2 * seconds, some)
        val count = maxOf(1, fill(seconds, some) / ROUNDS)
        val nanoseconds = List(ROUNDS) {
            val start = System.nanoTime()
            some(count)
            (System.nanoTime() - start).toDouble() / count / calls
        }
        println("""{"caller": "kotlin", "operation": "$operation", "nanoseconds": $nanoseconds}""")
    }

    private suspend fun fill(seconds: Double, some: suspend (Int) -> Unit): Int {
        var done = 0
        val start = System.nanoTime()
        while (System.nanoTime() - start < seconds * 1e9) {
            some(1)
            done++
        }
        return done
    }
}

private fun sample() = Sample(
    text = "The quick brown fox jumps over the lazy dog",
    count = 42,
    ratio = 0.5,
    flag = true,
    at = Instant.parse("2026-11-21T08:00:00Z"),
    connection = "01890a5d-ac96-774b-bcce-b302099a8057",
    weight = Weight.VERY_HEAVY,
    shape = Shape.Circle(radius = 1.5),
    tags = listOf("one", "two"),
    labels = mapOf("colour" to "red"),
    raw = """{"starred": true}""",
    content = ByteArray(16) { it.toByte() },
    note = "a note",
)

/** Signs somebody up and connects their account, once. */
private suspend fun connect(database: Path, tokenCacheSeconds: Double): Connection {
    val google = GoogleStandIn.start()
    val key = Base64.getEncoder().encodeToString(ByteArray(32) { it.toByte() })
    val options = OpenOptions(
        databaseUrl = "sqlite:$database",
        key = key,
        providers = listOf(google.app()),
        tokenCacheSeconds = tokenCacheSeconds,
    )
    val atom = Atom.open(options)
    val session = atom.accounts().signUp(NewAccount(email = "ada@example.com", password = "an engine of brass and thought"))
    val connections = atom.authenticate(session.accessToken).connections()
    val authorization = connections.start(StartConnection(provider = "google"))
    return connections.complete(google.approve(authorization.url, "ada@example.com"))
}

fun main(args: Array<String>): Unit = runBlocking(Dispatchers.Default) {
    val bench = Bench(args[0].toDouble())
    val folder = Files.createTempDirectory("atom-bench-")
    try {
        val probe = Probe.start()
        val connection = connect(folder.resolve("atom.db"), 0.0)
        val cached = connect(folder.resolve("cached.db"), 60.0)
        val one = sample()
        val many = List(MANY) { sample() }

        bench.awaited("nothing") { probe.nothing() }
        bench.gathered("nothing") { probe.nothing() }
        bench.awaited("echo") { probe.echo(one) }
        bench.awaited("echo_many") { probe.echoMany(many) }
        bench.awaited("token") { connection.accessToken() }
        bench.gathered("token") { connection.accessToken() }
        bench.awaited("token_cached") { cached.accessToken() }
        bench.gathered("token_cached") { cached.accessToken() }
    } finally {
        folder.toFile().deleteRecursively()
    }
}
