import com.sun.net.httpserver.HttpServer
import dev.atom.Atom
import dev.atom.AtomException
import dev.atom.Connection
import dev.atom.Credentials
import dev.atom.GoogleStandIn
import dev.atom.ListFiles
import dev.atom.NewAccount
import dev.atom.NewFile
import dev.atom.OpenOptions
import dev.atom.ProviderApp
import dev.atom.Scope
import dev.atom.Session
import dev.atom.SignIn
import dev.atom.StartConnection
import java.io.File
import java.net.InetSocketAddress
import java.net.URI
import kotlin.system.exitProcess
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.runBlocking

private const val DATABASE = "sqlite:./atom.db"
private const val KEY_FILE = "./atom.key"
private const val EMAIL = "ada@example.com"
private const val PASSWORD = "an engine of brass and thought"

/**
 * The main job of Atom from beginning to end: a user, a connected account, its files, an expired token, a sealed database.
 *
 *     mvn compile exec:exec                    with a stand-in for Google that this program starts
 *     mvn compile exec:exec -Dprovider=google  with Google itself (GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET: a "Desktop app" client)
 *
 * It leaves `atom.db` and `atom.key` in the current folder; run it again and the same user and connection are found.
 */
fun main(vararg arguments: String) = when (arguments.toList()) {
    listOf<String>(), listOf("--provider", "stand-in") -> tell(standIn = true)
    listOf("--provider", "google") -> tell(standIn = false)
    else -> stop("usage: quickstart [--provider stand-in|google]")
}

private fun tell(standIn: Boolean) = runBlocking {
    val google = if (standIn) GoogleStandIn.start() else null
    println("1. Google      " + if (google != null) "a stand-in listens on ${google.url()}" else "the real one")

    val browser = Loopback()
    val app = google?.app()?.copy(redirectUri = browser.redirectUri)
        ?: ProviderApp(
            provider = "google",
            clientId = env("GOOGLE_CLIENT_ID"),
            clientSecret = env("GOOGLE_CLIENT_SECRET"),
            redirectUri = browser.redirectUri,
            exportTokens = true,
        )
    val atom = Atom.open(OpenOptions(databaseUrl = DATABASE, keyFile = KEY_FILE, createKeyFile = true, providers = listOf(app)))
    println("2. Atom        opened $DATABASE with the key in $KEY_FILE")

    val session = signUpOrIn(atom)
    println("3. User        ${session.user.email} in workspace \"${session.workspace.name}\", role ${session.role.name.lowercase()}")

    val connection = connect(atom.authenticate(session.accessToken), browser, google)
    val account = connection.account()
    println("4. Connection  ${account.email} (${account.state.name.lowercase()}), ${account.scopes.size} scopes granted")

    val content = "A note that was written through Atom.".toByteArray()
    val stored = connection.files().upload(NewFile(name = "note from atom.txt", content = content, mimeType = "text/plain"))
    val size = connection.files().download(stored.id).size
    println("5. Upload      \"${stored.name}\", $size bytes, read back")

    if (google != null) {
        google.expireAccessTokens()
        println("6. Expiry      every access token has just died")
    }
    val before = connection.accessToken()
    val files = connection.files().list(ListFiles(pageSize = 10)).items
    val after = connection.accessToken()
    val renewed = if (before.token == after.token) "the same token" else "a token that was renewed on the way"
    println("7. Files       ${files.size} listed, with $renewed:")
    files.take(5).forEach { println("               - ${it.name}") }

    // Only now: closing a file that SQLite has open in the same process would lose SQLite's locks on it.
    atom.shutDown()
    val database = File("atom.db").readText(Charsets.ISO_8859_1)
    val found = if (after.token in database) "READABLE" else "nowhere"
    println("8. At rest     the access token is $found in the ${database.length} bytes of atom.db")
}

private suspend fun signUpOrIn(atom: Atom): Session = try {
    atom.accounts().signUp(NewAccount(email = EMAIL, password = PASSWORD, displayName = "Ada"))
} catch (_: AtomException.Conflict) {
    when (val step = atom.accounts().signIn(Credentials(email = EMAIL, password = PASSWORD))) {
        is SignIn.SignedIn -> step.session
        else -> error("nothing more is asked of Ada")
    }
}

/** The consent, from the provider's page back to our redirect URI. */
private suspend fun connect(scope: Scope, browser: Loopback, google: GoogleStandIn?): Connection {
    val authorization = scope.connections().start(StartConnection(provider = "google", services = listOf("drive")))
    if (google != null) {
        val redirect = google.approve(authorization.url, EMAIL)
        URI(redirect).toURL().readBytes() // what the browser does next
    } else {
        println("               open this page and agree:\n\n${authorization.url}\n")
        openInBrowser(authorization.url)
    }
    return scope.connections().complete(browser.redirected.await())
}

/** Catches the redirect of a native app on a loopback port (RFC 8252 §7.3). */
private class Loopback {
    private val server = HttpServer.create(InetSocketAddress("127.0.0.1", 0), 0)
    val redirectUri = "http://127.0.0.1:${server.address.port}/callback"
    val redirected = CompletableDeferred<String>()

    init {
        server.createContext("/callback") { exchange ->
            val text = "Connected. You can close this page.".toByteArray()
            exchange.sendResponseHeaders(200, text.size.toLong())
            exchange.responseBody.use { it.write(text) }
            redirected.complete("$redirectUri?${exchange.requestURI.rawQuery}")
            server.stop(0)
        }
        server.start()
    }
}

private fun env(name: String) = System.getenv(name) ?: stop("set $name to the one of a \"Desktop app\" OAuth client")

private fun stop(why: String): Nothing {
    System.err.println(why)
    exitProcess(1)
}

/** The URL is an argument, never part of a shell command; if nothing opens, the person uses the printed one. */
private fun openInBrowser(url: String) {
    val opener = if (System.getProperty("os.name").startsWith("Mac")) "open" else "xdg-open"
    runCatching { ProcessBuilder(opener, url).start() }
}
